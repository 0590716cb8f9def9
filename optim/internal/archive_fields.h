#pragma once

#include <functional>

#include <tapedeck/optim/fields.h>

namespace tapedeck::serialize {
class OutputArchive;
class InputArchive;
}  // namespace tapedeck::serialize

namespace tapedeck::optim {

/// Something that shows its members to a visitor.
using ShowFields = std::function<void(FieldVisitor&)>;

void save_fields(serialize::OutputArchive& archive, const ShowFields& show);
/// All or nothing: where a field cannot be read, those before it get their old values back.
void load_fields(serialize::InputArchive& archive, const ShowFields& show);

}  // namespace tapedeck::optim
