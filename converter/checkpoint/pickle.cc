// SPDX-License-Identifier: Apache-2.0
// The pickle machine: a stack, a memo and instructions of one byte, documented in CPython's pickletools.
#include "converter/checkpoint/pickle.h"

#include <bit>
#include <cstring>
#include <map>

#include "converter/checkpoint/pickle_stack.h"

namespace vitrine::checkpoint {

using Kind = PickleValue::Kind;

const PickleValue* PickleValue::Find(std::string_view key) const {
  if (kind != Kind::kDict) return nullptr;
  for (size_t i = items.size(); i >= 2; i -= 2) {
    if (items[i - 2]->is(Kind::kString) && items[i - 2]->text == key) return items[i - 1];
  }
  return nullptr;
}

const PickleValue* PickleValue::Argument(size_t i) const {
  return arguments != nullptr && i < arguments->items.size() ? arguments->items[i] : nullptr;
}

namespace {

class PickleMachine : private PickleStack {
 public:
  using PickleStack::PickleStack;

  void Run() {
    constexpr int kMostInstructions = 16'000'000;
    for (int i = 0; i < kMostInstructions; ++i) {
      const uint8_t opcode = Unsigned(1);
      if (opcode == '.') return Finish();
      if (!Scalar(opcode) && !Text(opcode) && !Sequence(opcode) && !Dictionary(opcode) && !Memo(opcode) &&
          !Object(opcode) && !Framing(opcode)) {
        Damaged("it holds the unknown instruction ", int{opcode});
      }
    }
    Damaged("it has over ", kMostInstructions, " instructions");
  }

 private:
  // Each of these executes one group of instructions. It returns whether `opcode` belongs to the group.

  bool PushInt(int64_t value) {
    Push(Make(Kind::kInt))->integer = value;
    return true;
  }

  bool PushBool(bool value) {
    Push(Make(Kind::kBool))->integer = value;
    return true;
  }

  bool PushLong(uint64_t byte_count) {
    const std::string_view digits = Take(byte_count);
    if (digits.size() > 8) {
      Push(Make(Kind::kBytes))->text = digits;
      return true;
    }
    uint64_t value = !digits.empty() && (digits.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    std::memcpy(&value, digits.data(), digits.size());
    return PushInt(static_cast<int64_t>(value));
  }

  bool Scalar(uint8_t opcode) {
    switch (opcode) {
      case 'N':
        return Push(Make(Kind::kNone)) != nullptr;
      case 0x88:
        return PushBool(true);
      case 0x89:
        return PushBool(false);
      case 'K':
        return PushInt(static_cast<int64_t>(Unsigned(1)));
      case 'M':
        return PushInt(static_cast<int64_t>(Unsigned(2)));
      case 'J':
        return PushInt(static_cast<int32_t>(Unsigned(4)));
      case 0x8a:
        return PushLong(Unsigned(1));
      case 0x8b:
        return PushLong(Unsigned(4));
      case 'G':
        Push(Make(Kind::kFloat))->real = std::bit_cast<double>(__builtin_bswap64(Unsigned(8)));
        return true;
      default:
        return false;
    }
  }

  bool PushText(Kind kind, uint64_t byte_count) {
    const std::string_view text = Take(byte_count);
    Push(Make(kind))->text = text;
    return true;
  }

  bool Text(uint8_t opcode) {
    switch (opcode) {
      case 0x8c:  // SHORT_BINUNICODE
      case 'U':   // SHORT_BINSTRING, which Python 2 wrote for names
        return PushText(Kind::kString, Unsigned(1));
      case 'X':  // BINUNICODE
      case 'T':  // BINSTRING
        return PushText(Kind::kString, Unsigned(4));
      case 0x8d:  // BINUNICODE8
        return PushText(Kind::kString, Unsigned(8));
      case 'C':  // SHORT_BINBYTES
        return PushText(Kind::kBytes, Unsigned(1));
      case 'B':  // BINBYTES
        return PushText(Kind::kBytes, Unsigned(4));
      case 0x8e:  // BINBYTES8
      case 0x96:  // BYTEARRAY8
        return PushText(Kind::kBytes, Unsigned(8));
      default:
        return false;
    }
  }

  bool PushItems(Kind kind, std::vector<PickleValue*> items) {
    Push(Make(kind))->items = std::move(items);
    return true;
  }

  // Drops the items of an unknown object, for example of a deque.
  bool Append(const std::vector<PickleValue*>& values) {
    PickleValue* list = Top();
    if (list->is(Kind::kList)) list->items.insert(list->items.end(), values.begin(), values.end());
    return true;
  }

  bool Sequence(uint8_t opcode) {
    switch (opcode) {
      case '(':
        return Mark(), true;
      case '0':  // POP
        return Pop() != nullptr;
      case '1':  // POP_MARK
        return PopToMark(), true;
      case '2':  // DUP
        return Push(Top()) != nullptr;
      case ')':
        return PushItems(Kind::kTuple, {});
      case 't':
        return PushItems(Kind::kTuple, PopToMark());
      case 0x85:
      case 0x86:
      case 0x87:
        return PushItems(Kind::kTuple, Pop(opcode - 0x84));
      case ']':
      case 0x8f:  // EMPTY_SET
        return PushItems(Kind::kList, {});
      case 'l':
      case 0x91:  // FROZENSET
        return PushItems(Kind::kList, PopToMark());
      case 'a':
        return Append({Pop()});
      case 'e':
      case 0x90:  // ADDITEMS
        return Append(PopToMark());
      default:
        return false;
    }
  }

  // An unknown object with keys and values is a kind of dict; they become its state.
  bool SetItems(const std::vector<PickleValue*>& pairs) {
    if (pairs.size() % 2 != 0) Damaged("a dictionary has a key without a value");
    PickleValue* dict = Top();
    if (dict->is(Kind::kObject)) {
      if (dict->state == nullptr) dict->state = Make(Kind::kDict);
      dict = dict->state;
    }
    if (dict->is(Kind::kDict)) dict->items.insert(dict->items.end(), pairs.begin(), pairs.end());
    return true;
  }

  bool Dictionary(uint8_t opcode) {
    switch (opcode) {
      case '}':
        return PushItems(Kind::kDict, {});
      case 'd': {
        const std::vector<PickleValue*> pairs = PopToMark();
        Push(Make(Kind::kDict));
        return SetItems(pairs);
      }
      case 's': {
        PickleValue* value = Pop();
        PickleValue* key = Pop();
        return SetItems({key, value});
      }
      case 'u':
        return SetItems(PopToMark());
      default:
        return false;
    }
  }

  bool Put(uint64_t index) {
    memo_[index] = Top();
    return true;
  }

  bool Get(uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) Damaged("it refers to value ", index, " of its memo, which is not there");
    return Push(found->second) != nullptr;
  }

  bool Memo(uint8_t opcode) {
    switch (opcode) {
      case 'q':
        return Put(Unsigned(1));
      case 'r':
        return Put(Unsigned(4));
      case 0x94:  // MEMOIZE
        return Put(memo_.size());
      case 'h':
        return Get(Unsigned(1));
      case 'j':
        return Get(Unsigned(4));
      default:
        return false;
    }
  }

  bool PushGlobal(std::string_view module, std::string_view name) {
    PickleValue* global = Push(Make(Kind::kGlobal));
    global->module = module;
    global->text = name;
    return true;
  }

  // Pushes the value of `callable(*arguments)`. It points to the arguments: one long tuple may be the
  // argument of a million calls, so nothing is copied. Only dicts are built; those of Python 2 have one list
  // of pairs.
  bool PushCall(const PickleValue* callable, const PickleValue* arguments) {
    const std::string_view name = callable->text;
    PickleValue* object = Push(Make(Kind::kObject));
    if (name == "OrderedDict" || name == "defaultdict" || name == "dict") {
      object->kind = Kind::kDict;
      if (arguments->items.size() == 1 && arguments->items[0]->is(Kind::kList)) {
        FillFromPairs(object, *arguments->items[0]);
      }
      return true;
    }
    object->module = callable->module;
    object->text = name;
    object->arguments = arguments;
    return true;
  }

  void FillFromPairs(PickleValue* dict, const PickleValue& pairs) {
    constexpr size_t kMostPairs = 1'000'000;
    pairs_copied_ += pairs.items.size();
    if (pairs_copied_ > kMostPairs) Damaged("its dictionaries have over ", kMostPairs, " entries");
    for (const PickleValue* pair : pairs.items) {
      if (pair->items.size() != 2) continue;
      dict->items.insert(dict->items.end(), pair->items.begin(), pair->items.end());
    }
  }

  bool PushPersistent(const PickleValue* identity) {
    Push(Make(Kind::kPersistent))->arguments = identity;
    return true;
  }

  bool Build() {
    PickleValue* state = Pop();
    PickleValue* object = Top();
    if (object->is(Kind::kObject) && object->state == nullptr) object->state = state;
    return true;
  }

  bool Object(uint8_t opcode) {
    switch (opcode) {
      case 'c': {
        const std::string_view module = Line();
        return PushGlobal(module, Line());
      }
      case 0x93: {  // STACK_GLOBAL
        const PickleValue* name = Pop();
        return PushGlobal(Pop()->text, name->text);
      }
      case 'R':
      case 0x81: {  // NEWOBJ
        const PickleValue* arguments = Pop();
        return PushCall(Pop(), arguments);
      }
      case 0x92: {  // NEWOBJ_EX: keyword arguments on top
        Pop();
        const PickleValue* arguments = Pop();
        return PushCall(Pop(), arguments);
      }
      case 'o': {
        std::vector<PickleValue*> values = PopToMark();
        if (values.empty()) Damaged("an object has no class");
        PickleValue* arguments = Make(Kind::kTuple);
        arguments->items.assign(values.begin() + 1, values.end());
        return PushCall(values[0], arguments);
      }
      case 'b':
        return Build();
      case 'Q':
        return PushPersistent(Pop());
      case 0x82:  // EXT1, EXT2, EXT4: a class by its number in a registry of the writing program
      case 0x83:
      case 0x84:
        Unsigned(opcode == 0x82 ? 1 : opcode == 0x83 ? 2 : 4);
        return PushGlobal("", "extension");
      default:
        return false;
    }
  }

  bool Framing(uint8_t opcode) {
    switch (opcode) {
      case 0x80:
        if (const uint64_t protocol = Unsigned(1); protocol > 5) {
          Damaged("its protocol is ", protocol, ", expected 2 to 5");
        }
        return true;
      case 0x95:  // FRAME: how much to read ahead
        return Unsigned(8), true;
      default:
        return false;
    }
  }

  std::map<uint64_t, PickleValue*> memo_;  // no hash map: a file could choose indices that collide
  size_t pairs_copied_ = 0;
};

}  // namespace

Pickle::Pickle(std::span<const std::byte> bytes, std::string where) {
  PickleMachine(*this, bytes, where).Run();
}

}  // namespace vitrine::checkpoint
