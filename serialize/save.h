#pragma once

#include <string>
#include <utility>
#include <vector>

#include <tapedeck/serialize/archive.h>

namespace tapedeck {

// Where argument-dependent lookup does not search: a program's own save(tensor, path) is not to
// lose against these.
namespace detail::no_adl {

/// Writes a tensor, a module, an optimiser or anything else with an operator<< to an OutputArchive.
/// `to` is a path, a std::ostream or a writer function: see OutputArchive::save_to.
template <typename Value, typename... SaveToArgs>
void save(const Value& value, SaveToArgs&&... to) {
  serialize::OutputArchive archive;
  archive << value;
  archive.save_to(std::forward<SaveToArgs>(to)...);
}

template <typename... SaveToArgs>
void save(const std::vector<Variable>& tensors, SaveToArgs&&... to) {
  serialize::OutputArchive archive;
  for (std::size_t i = 0; i < tensors.size(); ++i) archive.write(std::to_string(i), tensors[i]);
  archive.save_to(std::forward<SaveToArgs>(to)...);
}

/// Reads into `value` what save() wrote; `from` is a path, a std::istream or what else
/// InputArchive::load_from takes. All or nothing: on an error `value` is what it was.
/// \throws Error that names the file; it lists missing and unexpected keys and wrong shapes.
template <typename Value, typename... LoadFromArgs>
void load(Value& value, LoadFromArgs&&... from) {
  serialize::InputArchive archive;
  archive.load_from(std::forward<LoadFromArgs>(from)...);
  serialize::LoadTransaction transaction(archive);
  archive >> value;
  transaction.commit();
}

template <typename... LoadFromArgs>
void load(Variable& tensor, LoadFromArgs&&... from) {
  serialize::InputArchive archive;
  archive.load_from(std::forward<LoadFromArgs>(from)...);
  serialize::LoadTransaction transaction(archive);
  Variable read = tensor;
  archive >> read;
  transaction.commit();
  tensor = read;
}

/// Appends the tensors of the archive.
template <typename... LoadFromArgs>
void load(std::vector<Variable>& tensors, LoadFromArgs&&... from) {
  serialize::InputArchive archive;
  archive.load_from(std::forward<LoadFromArgs>(from)...);
  serialize::LoadTransaction transaction(archive);
  std::vector<Variable> read;
  for (Variable tensor; archive.try_read(std::to_string(read.size()), tensor);)
    read.push_back(std::exchange(tensor, Variable()));
  transaction.commit();
  for (Variable& tensor : read) tensors.push_back(std::move(tensor));
}

}  // namespace detail::no_adl
using namespace detail::no_adl;

}  // namespace tapedeck
