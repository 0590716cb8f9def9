#include <tapedeck/nn/module.h>

#include <tapedeck/serialize/archive.h>

// How modules are written to archives and read from them.

namespace tapedeck::nn {

void Module::save(serialize::OutputArchive& archive) const {
  for (const auto& item : parameters_)
    if (item.value().defined()) archive.write(item.key(), item.value());
  for (const auto& item : buffers_)
    if (item.value().defined()) archive.write(item.key(), item.value(), true);
  for (const auto& child : children_) {
    if (!child.value() || !child.value()->is_serializable()) continue;
    serialize::OutputArchive nested(archive.compilation_unit());
    child.value()->save(nested);
    archive.write(child.key(), nested);
  }
}

void Module::load(serialize::InputArchive& archive) {
  serialize::LoadTransaction transaction(archive);
  for (auto& item : parameters_)
    if (item.value().defined()) archive.read(item.key(), item.value());
  for (auto& item : buffers_) {
    if (!item.value().defined() || archive.try_read(item.key(), item.value(), true)) continue;
    // Old checkpoints do not have batch normalisation's counter: it then stays as it is.
    if (item.key() != "num_batches_tracked") archive.read(item.key(), item.value(), true);
  }
  for (const auto& child : children_) {
    if (!child.value() || !child.value()->is_serializable()) continue;
    serialize::InputArchive nested;
    archive.read(child.key(), nested);
    child.value()->load(nested);
  }
  // The archive may hold more than the module; load(module, file) says so.
  transaction.commit(/*allow_unread=*/true);
}

serialize::OutputArchive& operator<<(serialize::OutputArchive& archive,
                                     const std::shared_ptr<Module>& module) {
  TAPEDECK_CHECK(module, "save: the module is null");
  module->save(archive);
  return archive;
}
serialize::InputArchive& operator>>(serialize::InputArchive& archive,
                                    const std::shared_ptr<Module>& module) {
  TAPEDECK_CHECK(module, "load: the module is null");
  module->load(archive);
  return archive;
}

}  // namespace tapedeck::nn
