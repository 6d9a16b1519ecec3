// Records the operations of libtorch between two calls, as expressions that PyTorch understands.
//
// While a recording runs, the dispatcher hands every outermost operation to `record` before it runs it: by name, with the
// names and types of its arguments, whatever code called it.
#include "tracing.h"
#include "bridge.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/library.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <sstream>
#include <unordered_map>

using namespace bridge;

namespace {

// A key that only libtorch's own tests use otherwise, above autograd, so that an operation is seen before it is taken apart.
constexpr auto key = c10::DispatchKey::TESTING_ONLY_GenericMode;

struct Recording {
  // By identity. What a recording has seen stays alive, so that no address stands for two tensors.
  std::unordered_map<const c10::TensorImpl *, std::string> names;
  std::vector<at::Tensor> alive, constants;
  std::ostringstream text;
  std::string first, problem;
  int count = 0;
  std::unique_ptr<c10::impl::IncludeDispatchKeyGuard> guard;
};

thread_local std::unique_ptr<Recording> recording;
thread_local std::vector<at::Tensor> lastConstants;

[[noreturn]] void refuse(const std::string &problem) { throw std::runtime_error(problem); }

std::string number(double value) {
  if (std::isnan(value)) return "float('nan')";
  if (std::isinf(value)) return value > 0 ? "float('inf')" : "-float('inf')";
  char digits[40];
  for (int precision = 15; precision <= 17; precision++) {
    snprintf(digits, sizeof digits, "%.*g", precision, value);
    if (strtod(digits, nullptr) == value) break;
  }
  return strpbrk(digits, ".e") ? digits : std::string(digits) + ".0";
}

// Whole numbers stand in braces: those that follow the size of a batch are found by comparing recordings.
std::string whole(int64_t value) { return "{" + std::to_string(value) + "}"; }

std::string type(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return "torch.float32";
    case at::kDouble: return "torch.float64";
    case at::kLong: return "torch.int64";
    case at::kInt: return "torch.int32";
    case at::kByte: return "torch.uint8";
    case at::kBool: return "torch.bool";
    default: refuse(std::string("works with numbers of type ") + c10::toString(type));
  }
}

struct Writer {
  Recording &state;
  std::string uses;

  std::string tensor(const at::Tensor &value) {
    if (!value.defined()) return "None";
    auto found = state.names.find(value.unsafeGetTensorImpl());
    if (found == state.names.end()) {
      if (value.unsafeGetTensorImpl()->is_wrapped_number()) {
        if (value.scalar_type() == at::kDouble) return number(value.item<double>());
        if (value.scalar_type() == at::kLong) return whole(value.item<int64_t>());
      }
      auto name = "c" + std::to_string(state.constants.size());
      state.constants.push_back(value.detach());
      state.alive.push_back(value);
      found = state.names.emplace(value.unsafeGetTensorImpl(), name).first;
    }
    uses += " " + found->second;
    return found->second;
  }

  std::string list(const c10::IValue &value, const c10::Type &inner) {
    std::string text;
    for (const auto &item : value.toListRef()) text += (text.empty() ? "" : ", ") + argument(item, inner);
    return "[" + text + "]";
  }

  std::string argument(const c10::IValue &value, const c10::Type &type) {
    if (value.isNone()) return "None";
    if (auto *optional = type.castRaw<c10::OptionalType>()) return argument(value, *optional->getElementType());
    if (value.isTensor()) return tensor(value.toTensor());
    if (value.isBool()) return value.toBool() ? "True" : "False";
    if (value.isInt() || value.isSymInt()) {
      const auto whole = value.isInt() ? value.toInt() : value.toSymInt().expect_int();
      switch (type.kind()) {
        case c10::TypeKind::ScalarTypeType: return ::type(static_cast<at::ScalarType>(whole));
        case c10::TypeKind::MemoryFormatType:
          switch (static_cast<at::MemoryFormat>(whole)) {
            case at::MemoryFormat::Contiguous: return "torch.contiguous_format";
            case at::MemoryFormat::ChannelsLast: return "torch.channels_last";
            case at::MemoryFormat::Preserve: return "torch.preserve_format";
            default: refuse("asks for a memory format of its own");
          }
        case c10::TypeKind::LayoutType: return "torch.strided";
        default: return ::whole(whole);
      }
    }
    if (value.isDouble()) return number(value.toDouble());
    if (value.isDevice()) return state.first + ".device";
    if (value.isString()) {
      const auto &text = value.toStringRef();
      if (text.find_first_of("'\\{}\n\t") != std::string::npos) refuse("takes the text " + text);
      return "'" + text + "'";
    }
    if (value.isList()) {
      auto *list = type.castRaw<c10::ListType>();
      return this->list(value, list ? *list->getElementType() : *c10::AnyType::get());
    }
    if (value.isGenerator()) refuse("draws random numbers");
    refuse("takes a value of type " + value.tagKind());
  }

  std::string arguments(const c10::FunctionSchema &schema, const c10::IValue *values) {
    const auto &arguments = schema.arguments();
    std::string text, pending;
    bool isKeyword = false;
    for (size_t i = 0; i < arguments.size(); i++) {
      const auto &known = arguments[i];
      auto value = argument(values[i], *known.real_type());
      const bool isDefault =
        known.default_value() && !values[i].isTensor() && argument(*known.default_value(), *known.real_type()) == value;
      if (isDefault) {
        isKeyword = true;
        continue;
      }
      if (!text.empty()) text += ", ";
      // After an argument that was left out, and where PyTorch demands it.
      text += isKeyword || known.kwarg_only() ? known.name() + "=" + value : value;
    }
    return text;
  }

  void result(const c10::IValue &value, std::string &names) {
    auto name = "x" + std::to_string(++state.count);
    names += (names.empty() ? "" : ", ") + name;
    if (value.isTensor()) keep(value.toTensor(), name);
    if (value.isTensorList()) {
      int index = 0;
      for (const at::Tensor &item : value.toTensorList()) keep(item, name + "[" + std::to_string(index++) + "]");
    }
  }

  void keep(const at::Tensor &value, const std::string &name) {
    if (!value.defined()) return;
    state.alive.push_back(value);
    state.names[value.unsafeGetTensorImpl()] = name;
  }
};

void record(const c10::OperatorHandle &op, c10::DispatchKeySet, torch::jit::Stack *stack) {
  c10::impl::ExcludeDispatchKeyGuard guard(key);
  const auto &schema = op.schema();
  auto *state = recording.get();
  if (!state || !state->problem.empty()) return op.callBoxed(stack);
  Writer writer{*state, ""};
  std::string call;
  try {
    const auto &name = schema.name();
    if (name.rfind("aten::", 0) != 0) refuse("is not one of PyTorch's own");
    call = "aten." + name.substr(6) + (schema.overload_name().empty() ? "" : "." + schema.overload_name()) + "(" +
      writer.arguments(schema, stack->data() + stack->size() - schema.arguments().size()) + ")";
  } catch (const std::exception &error) {
    state->problem = "operation " + schema.name() + " " + error.what();
  }
  op.callBoxed(stack);
  if (!state->problem.empty()) return;
  std::string names;
  const auto count = schema.returns().size();
  for (size_t i = 0; i < count; i++) writer.result((*stack)[stack->size() - count + i], names);
  state->text << names << '\t' << call << '\t' << writer.uses << '\t' << (schema.is_mutable() ? "changes" : "") << '\n';
}

}  // namespace

bool bridge::isTracing() { return recording != nullptr; }

int ct_trace_begin(const ct_tensor *tensors, const char *const *names, int count) {
  return status([&] {
    TORCH_CHECK(!recording, "another recording is running on this thread");
    // Once and for good: without the key in the thread's set nothing asks for it.
    static auto library = [] {
      auto library = torch::Library(torch::Library::IMPL, "_", key, __FILE__, __LINE__);
      library.fallback(torch::CppFunction::makeFromBoxedFunction<&record>());
      return library;
    }();
    auto state = std::make_unique<Recording>();
    for (int i = 0; i < count; i++) {
      state->names[open(tensors[i]).unsafeGetTensorImpl()] = names[i];
      state->alive.push_back(open(tensors[i]));
    }
    if (count > 0) state->first = names[0];
    state->guard = std::make_unique<c10::impl::IncludeDispatchKeyGuard>(key);
    recording = std::move(state);
  });
}

char *ct_trace_end(const ct_tensor *outputs, int count) {
  auto state = std::move(recording);
  char *text = nullptr;
  status([&] {
    TORCH_CHECK(state, "no recording is running on this thread");
    state->guard.reset();
    if (!state->problem.empty()) refuse(state->problem);
    Writer writer{*state, ""};
    std::string names;
    for (int i = 0; i < count; i++) names += (i ? ", " : "") + writer.tensor(open(outputs[i]));
    state->text << '\t' << names << '\t' << writer.uses << '\t' << '\n';
    text = strdup(state->text.str().c_str());
    lastConstants = std::move(state->constants);
  });
  return text;
}

void ct_trace_free(char *text) { free(text); }
int ct_trace_constant_count(void) { return static_cast<int>(lastConstants.size()); }
ct_tensor ct_trace_constant(int index) {
  return tensor([&] { return lastConstants.at(index); });
}
