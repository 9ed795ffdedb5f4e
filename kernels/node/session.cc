// Sessions for JavaScript: created, run and released off the event loop. A session under way keeps itself alive, so
// `dispose` may come at any time. kernels/runtime.ts wraps what is made here.
#include <cstring>
#include <utility>

#include "session_options.h"
#include "session_runtime.h"
#include "session_tensor.h"
#include "task.h"

namespace halftone {
namespace {

struct Port {
  std::string name;
  ort::ElementType type;  // type_undefined where it is no tensor
};

struct Session {
  SessionSetup setup;
  Owned<ort::Session> session;  // declared after what it uses: released first
  std::vector<Port> inputs, outputs;
};

struct Source {
  std::basic_string<ort::PathChar> path;
  const void* bytes = nullptr;
  size_t size = 0;
};

// What a JavaScript session holds until it is disposed of.
struct Holder {
  std::shared_ptr<Session> session;
  Napi::ObjectReference kept;  // the initializers' memory
};

struct Output {
  std::string name;
  Owned<ort::Value> value;
  bool in_place;
  Described made;
};

struct Run {
  std::vector<Napi::Value> kept;  // memory that inputs and outputs lie in; only until the task is queued
  std::shared_ptr<Session> session;
  std::shared_ptr<ort::RunOptions> options;
  std::vector<std::string> input_names;
  std::vector<Owned<ort::Value>> inputs;
  std::vector<Output> outputs;
};

// Copies up to this size are made on the event loop; larger ones cost more than the trip to a worker thread.
constexpr size_t copied_at_once = 1 << 20;

// Turns errors of the runtime met on the event loop into JavaScript errors.
template <typename Body>
auto guarded(Napi::Env env, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Napi::Error::New(env, error.what());
  }
}

using CountPorts = ort::Status*(ORT_CALL*)(const ort::Session*, size_t*);
using NamePort = ort::Status*(ORT_CALL*)(const ort::Session*, size_t, ort::Allocator*, char**);
using TypePort = ort::Status*(ORT_CALL*)(const ort::Session*, size_t, ort::TypeInfo**);

std::vector<Port> read_ports(const ort::Session* session, CountPorts count_ports, NamePort name_port,
                             TypePort type_port) {
  const auto& api = *runtime().api;
  ort::Allocator* allocator = nullptr;
  check(api.GetAllocatorWithDefaultOptions(&allocator));
  size_t count = 0;
  check(count_ports(session, &count));
  std::vector<Port> ports(count);
  for (size_t i = 0; i < count; i++) {
    char* name = nullptr;
    check(name_port(session, i, allocator, &name));
    ports[i].name = name;
    check(api.AllocatorFree(allocator, name));
    ort::TypeInfo* raw = nullptr;
    check(type_port(session, i, &raw));
    Owned<ort::TypeInfo> info(raw);
    const ort::TensorInfo* tensor = nullptr;  // belongs to `info`
    check(api.CastTypeInfoToTensorInfo(raw, &tensor));
    ports[i].type = tensor ? element_type(tensor) : ort::type_undefined;
  }
  return ports;
}

void create(Session& session, const Source& source) {
  const auto& opened = runtime();
  const auto* api = opened.api;
  ort::Session* raw = nullptr;
  if (source.bytes) {
    check(api->CreateSessionFromArray(opened.env, source.bytes, source.size, session.setup.options.get(), &raw));
  } else {
    check(api->CreateSession(opened.env, source.path.c_str(), session.setup.options.get(), &raw));
  }
  session.session.reset(raw);
  session.inputs = read_ports(raw, api->SessionGetInputCount, api->SessionGetInputName, api->SessionGetInputTypeInfo);
  session.outputs =
      read_ports(raw, api->SessionGetOutputCount, api->SessionGetOutputName, api->SessionGetOutputTypeInfo);
}

Source read_source(const Napi::Value& model) {
  Source source;
  if (model.IsString()) {
#ifdef _WIN32
    std::u16string path = model.As<Napi::String>();
#else
    std::string path = model.As<Napi::String>();
#endif
    source.path.assign(path.begin(), path.end());
  } else {
    auto bytes = model.As<Napi::Uint8Array>();
    source.bytes = data_of<uint8_t>(model, 1, "model");
    source.size = bytes.ElementLength();
  }
  return source;
}

std::string names_of(const std::vector<Port>& ports) {
  std::string text;
  for (const auto& port : ports) text += (text.empty() ? "" : ", ") + port.name;
  return text;
}

const Port& find_port(Napi::Env env, const std::vector<Port>& ports, const std::string& name, const char* kind) {
  for (const auto& port : ports) {
    if (port.name == name) return port;
  }
  throw Napi::Error::New(env, std::string("the model has no ") + kind + " '" + name + "'; it has: " + names_of(ports));
}

TensorView read_for(const Port& port, const Napi::Value& value, const char* kind, std::vector<Napi::Value>& kept) {
  std::string what = std::string(kind) + " '" + port.name + "'";
  TensorView view = read_tensor(value, what);
  if (view.format->type != port.type)
    throw Napi::TypeError::New(value.Env(),
                               what + " is given as " + view.format->name + ", the model has " + type_name(port.type));
  kept.push_back(value.As<Napi::Object>().Get("data"));
  return view;
}

void read_feeds(Run& run, const Napi::Object& feeds) {
  Napi::Array names = feeds.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); i++) {
    std::string name = names.Get(i).ToString();
    const Port& port = find_port(feeds.Env(), run.session->inputs, name, "input");
    run.inputs.push_back(wrap_tensor(read_for(port, feeds.Get(name), "input", run.kept)));
    run.input_names.push_back(name);
  }
  for (const auto& port : run.session->inputs) {
    if (!feeds.Has(port.name))
      throw Napi::Error::New(feeds.Env(),
                             "input '" + port.name + "' is missing; the model needs: " + names_of(run.session->inputs));
  }
}

void read_fetches(Run& run, const Napi::Object& fetches) {
  Napi::Array names = fetches.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); i++) {
    Output output;
    output.name = names.Get(i).ToString();
    const Port& port = find_port(fetches.Env(), run.session->outputs, output.name, "output");
    Napi::Value place = fetches.Get(output.name);
    output.in_place = !place.IsNull();
    if (output.in_place) output.value = wrap_tensor(read_for(port, place, "output", run.kept));
    run.outputs.push_back(std::move(output));
  }
}

void execute(Run& run) {
  auto session = std::move(run.session);  // where it was disposed of meanwhile, it is released here
  std::vector<const char*> input_names, output_names;
  std::vector<const ort::Value*> inputs;
  std::vector<ort::Value*> outputs;
  for (size_t i = 0; i < run.inputs.size(); i++) {
    input_names.push_back(run.input_names[i].c_str());
    inputs.push_back(run.inputs[i].get());
  }
  for (auto& output : run.outputs) {
    output_names.push_back(output.name.c_str());
    outputs.push_back(output.value.get());
  }
  check(runtime().api->Run(session->session.get(), run.options.get(), input_names.data(), inputs.data(), inputs.size(),
                           output_names.data(), outputs.size(), outputs.data()));
  for (size_t i = 0; i < outputs.size(); i++) {
    auto& output = run.outputs[i];
    if (output.in_place) continue;
    output.value.reset(outputs[i]);
    output.made = describe(outputs[i], "output '" + output.name + "'");
  }
}

// The outputs the runtime made, copied into memory JavaScript allocated: Electron allows no other.
Napi::Value collect(Napi::Env env, const std::shared_ptr<Run>& run) {
  auto result = Napi::Object::New(env);
  std::vector<void*> places(run->outputs.size());
  size_t bytes = 0;
  for (size_t i = 0; i < places.size(); i++) {
    const auto& output = run->outputs[i];
    if (output.in_place) continue;
    result.Set(output.name, new_tensor(env, output.made, &places[i]));
    bytes += output.made.bytes;
  }
  auto copy = [run, places] {
    for (size_t i = 0; i < places.size(); i++) {
      const auto& output = run->outputs[i];
      if (!output.in_place && output.made.bytes) std::memcpy(places[i], output.made.data, output.made.bytes);
    }
  };
  if (bytes <= copied_at_once) {
    copy();
    return result;
  }
  auto kept = std::make_shared<Napi::ObjectReference>(Napi::Persistent(result));
  return run_task(env, {}, copy, [kept](Napi::Env) -> Napi::Value { return kept->Value(); });
}

// {promise, cancel}: the promise gives the outputs that were not written in place.
Napi::Value start(const Napi::CallbackInfo& info, const Holder& holder) {
  Napi::Env env = info.Env();
  if (!holder.session) throw Napi::Error::New(env, "the session is disposed of");
  auto run = std::make_shared<Run>();
  run->session = holder.session;
  ort::RunOptions* raw = nullptr;
  check(runtime().api->CreateRunOptions(&raw));
  run->options = std::shared_ptr<ort::RunOptions>(raw, Releaser());
  read_feeds(*run, info[0].As<Napi::Object>());
  read_fetches(*run, info[1].As<Napi::Object>());
  auto started = Napi::Object::New(env);
  started.Set("cancel", Napi::Function::New(env, [options = run->options](const Napi::CallbackInfo& call) {
                guarded(call.Env(), [&] { check(runtime().api->RunOptionsSetTerminate(options.get())); });
              }));
  auto kept = std::exchange(run->kept, {});
  kept.push_back(holder.kept.Value());
  started.Set("promise", run_task(
                             env, std::move(kept), [run] { execute(*run); },
                             [run](Napi::Env settled) { return collect(settled, run); }));
  return started;
}

void dispose(Napi::Env env, Holder& holder) {
  if (!holder.session) return;
  run_task(env, {holder.kept.Value()}, [session = std::move(holder.session)]() mutable { session.reset(); });
  holder.kept.Reset();
}

Napi::Array port_names(Napi::Env env, const std::vector<Port>& ports) {
  auto names = Napi::Array::New(env, ports.size());
  for (uint32_t i = 0; i < ports.size(); i++) names.Set(i, ports[i].name);
  return names;
}

Napi::Object session_object(Napi::Env env, const std::shared_ptr<Holder>& holder) {
  auto object = Napi::Object::New(env);
  object.Set("inputNames", port_names(env, holder->session->inputs));
  object.Set("outputNames", port_names(env, holder->session->outputs));
  object.Set("start", Napi::Function::New(env, [holder](const Napi::CallbackInfo& info) {
               return guarded(info.Env(), [&] { return start(info, *holder); });
             }));
  object.Set("dispose",
             Napi::Function::New(env, [holder](const Napi::CallbackInfo& info) { dispose(info.Env(), *holder); }));
  return object;
}

Napi::Value create_session(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    auto options = info[1].IsObject() ? info[1].As<Napi::Object>() : Napi::Object::New(env);
    Source source = read_source(info[0]);
    auto holder = std::make_shared<Holder>();
    holder->session = std::make_shared<Session>();
    std::vector<Napi::Value> memory;
    holder->session->setup = read_session_options(options, memory);
    auto kept = Napi::Array::New(env, memory.size());
    for (uint32_t i = 0; i < memory.size(); i++) kept.Set(i, memory[i]);
    holder->kept = Napi::Persistent(kept.As<Napi::Object>());
    return run_task(
        env, {info[0], kept}, [holder, source] { create(*holder->session, source); },
        [holder](Napi::Env settled) { return session_object(settled, holder); });
  });
}

Napi::Value open_runtime_at(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::String::New(info.Env(), open_runtime(info[0].ToString()).version); });
}

Napi::Value list_providers(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    auto names = available_providers();
    auto array = Napi::Array::New(info.Env(), names.size());
    for (uint32_t i = 0; i < names.size(); i++) array.Set(i, names[i]);
    return array;
  });
}

}  // namespace

void add_session(Napi::Env env, Napi::Object exports) {
  exports.Set("openRuntime", Napi::Function::New(env, open_runtime_at));
  exports.Set("createSession", Napi::Function::New(env, create_session));
  exports.Set("providers", Napi::Function::New(env, list_providers));
}

}  // namespace halftone
