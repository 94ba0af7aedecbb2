// SPDX-License-Identifier: Apache-2.0
#include "pages/pages.h"

#include <catch2/catch_test_macros.hpp>

namespace vitrine {
namespace {

TEST_CASE("Escapes what would end a text or an attribute") {
  CHECK(Escape("a < b > c & \"d\"") == "a &lt; b &gt; c &amp; &quot;d&quot;");
  CHECK(Escape("für") == "für");
  CHECK(Escape("").empty());
}

TEST_CASE("Formats a text of any length") {
  CHECK(Format("%d of %.1f%%", 3, 98.76) == "3 of 98.8%");
  const std::string name(5000, 'x');
  CHECK(Format("<%s>", name.c_str()) == "<" + name + ">");
}

TEST_CASE("A page starts with its escaped title") {
  const std::string page = StartPage("a<b>.vit");
  CHECK(page.starts_with("<!doctype html>\n"));
  CHECK(page.find("<title>a&lt;b&gt;.vit</title>") != std::string::npos);
  CHECK(page.find("<h1>a&lt;b&gt;.vit</h1>") != std::string::npos);
}

}  // namespace
}  // namespace vitrine
