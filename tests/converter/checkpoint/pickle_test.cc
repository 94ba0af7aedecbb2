// SPDX-License-Identifier: Apache-2.0
// The unpickler on pickles written by hand, most of them hostile.
#include "converter/checkpoint/pickle.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "converter/checkpoint/state_dict.h"
#include "tests/converter/checkpoint/files.h"

namespace vitrine::checkpoint {
namespace {

using namespace std::string_literals;
using Catch::Matchers::ContainsSubstring;

// Returns the result of Python's `json.dumps(pickle.loads(code))`, or the error message.
std::string Load(const std::string& code) {
  try {
    const Pickle pickle(std::as_bytes(std::span(code)), "p");
    int budget = 1000;
    return ToJson(pickle.root(), budget).dump();
  } catch (const Error& error) {
    return error.what();
  }
}

std::string Repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST_CASE("Plain data of protocols 2 to 5 is read") {
  CHECK(Load("\x80\x02N."s) == "null");
  CHECK(Load("\x80\x02\x88."s) == "true");
  CHECK(Load("\x80\x02K\xff."s) == "255");
  CHECK(Load("\x80\x02J\xff\xff\xff\xff."s) == "-1");
  CHECK(Load("\x80\x02\x8a\x02\x00\x80."s) == "-32768");
  CHECK(Load("\x80\x02\x8a\x00."s) == "0");
  CHECK(Load("\x80\x02G\x3f\xf8\0\0\0\0\0\0."s) == "1.5");
  CHECK(Load("\x80\x02(K\x01K\x02t."s) == "[1,2]");
  CHECK(Load("\x80\x02]q\0(K\x01h\0e."s).starts_with("[1,[1,[1,"));  // a list that contains itself
  CHECK(Load("\x80\x02}q\0(X\x01\0\0\0aK\x01X\x01\0\0\0bK\x02u."s) == R"({"a":1,"b":2})");
  CHECK(Load("\x80\x04\x95\x08\0\0\0\0\0\0\0}\x94\x8c\x01"
             "aK\x01s."s) == R"({"a":1})");
  CHECK(Load("\x80\x05\x8c\x08"
             "argparse\x8c\tNamespace\x93)\x81}\x8c\x02lrK\x01sb."s) == R"({"lr":1})");
  CHECK(Load("\x80\x02"
             "ccollections\nOrderedDict\n]]X\x01\0\0\0aaK\x01"
             "aa\x85R."s) == R"({"a":1})");
  CHECK(Load("\x80\x02X\x02\0\0\0\xff\xfe."s) == "\"\xef\xbf\xbd\xef\xbf\xbd\"");  // not UTF-8
}

TEST_CASE("What a pickle would import and call stays a name") {
  CHECK(Load("\x80\x02"
             "cos\nsystem\nX\x02\0\0\0ls\x85R."s) == R"("os.system")");
  CHECK(Load("\x80\x02(cos\nsystem\nX\x02\0\0\0lso."s) == R"("os.system")");
  CHECK(Load("\x80\x02"
             "cos\nsystem\n)}\x92."s) == R"("os.system")");
  CHECK(Load("\x80\x02\x82\x07)R."s) == R"(".extension")");
  CHECK(Load("\x80\x02"
             "cx\ny\n)R}X\x01\0\0\0aK\x01sb."s) == R"({"a":1})");
}

TEST_CASE("A damaged pickle is refused with the reason") {
  const std::pair<std::string, const char*> cases[] = {
      {"", "cut short"},
      {"\x80\x02", "cut short"},
      {"\x80\x09N."s, "its protocol is 9"},
      {"\x80\x02."s, "its stack is empty"},
      {"\x80\x02(."s, "its stack is empty"},
      {"\x80\x02N(\x85."s, "its stack is empty"},
      {"\x80\x02t."s, "a mark is missing"},
      {"\x80\x02h\x05."s, "refers to value 5 of its memo"},
      {"\x80\x02}(K\x01u."s, "a key without a value"},
      {"\x80\x02(o."s, "an object has no class"},
      {"\x80\x02I5\n."s, "the unknown instruction 73"},
      {"\x80\x02"
       "cos\nsystem"s,
       "cut short"},
      {"\x80\x02\x8b\xff\xff\xff\xff\x01."s, "cut short"},
      {"\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xff."s, "cut short"},
      {"\x80\x02X\xff\xff\xff\x7f"
       "a."s,
       "cut short"},
  };
  for (const auto& [code, message] : cases) {
    CHECK_THAT(Load(code), ContainsSubstring(message));
    CHECK_THAT(Load(code), ContainsSubstring("p is damaged near byte "));
  }
}

TEST_CASE("A million nested lists need no recursion") {
  CHECK(Load("\x80\x02" + Repeated("]", 1'000'000) + Repeated("a", 999'999) + ".") ==
        "[[[[[[[[[null]]]]]]]]]");
}

TEST_CASE("Lists that double a thousand times over are not unfolded") {
  std::string code = "\x80\x02]q"s + '\0';
  for (int i = 0; i < 1000; ++i) code += "](h\0h\0eq\0"s;
  CHECK(Load(code + ".").size() < 100'000);
}

TEST_CASE("A long tuple as the argument of many calls is not copied") {
  const std::string tuple = "\x80\x02("s + Repeated("N", 500'000) + "tq\0"s;
  CHECK(Load(tuple + "cx\ny\nq\x01"s + Repeated("h\x01h\0R"s, 500'000) + ".") == R"("x.y")");
  CHECK_THAT(Load("\x80\x02](" + Repeated("N", 500'000) + "eq\0cx\nOrderedDict\nq\x01"s +
                  Repeated("h\x01h\0\x85R"s, 100) + "."),
             ContainsSubstring("dictionaries have over 1000000 entries"));
}

TEST_CASE("More values or instructions than a checkpoint needs are refused") {
  CHECK_THAT(Load("\x80\x02" + std::string(3'000'000, 'N')), ContainsSubstring("over 2000000 values"));
  CHECK_THAT(Load("\x80\x02N" + std::string(17'000'000, '2')),
             ContainsSubstring("over 16000000 instructions"));
}

}  // namespace
}  // namespace vitrine::checkpoint
