#include <gmock/gmock.h>

#include <tapedeck/tapedeck.h>

namespace tapedeck {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename F>
std::string message_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

struct SplitImpl : nn::Module {
  std::tuple<Tensor, Tensor> forward(const Tensor& x) { return {x, x * 2}; }
};
TAPEDECK_MODULE(Split);
struct JoinImpl : nn::Module {
  Tensor forward(std::tuple<Tensor, Tensor> both) { return std::get<0>(both) + std::get<1>(both); }
};
TAPEDECK_MODULE(Join);
struct AddImpl : nn::Module {
  Tensor forward(Tensor x, int n, double factor = 2.0) { return x * factor + n; }
  TAPEDECK_FORWARD_HAS_DEFAULT_ARGS({2, nn::AnyValue(2.0)})
};
TAPEDECK_MODULE(Add);
struct LengthImpl : nn::Module {
  std::int64_t forward(const std::string& text) { return static_cast<std::int64_t>(text.size()); }
};
TAPEDECK_MODULE(Length);

TEST(AnyModule, HoldsAnySignature) {
  nn::AnyModule length{Length()};
  EXPECT_EQ(length.forward<std::int64_t>(std::string("four")), 4);
  EXPECT_EQ(length.any_forward(std::string("four")).get<std::int64_t>(), 4);
  nn::AnyModule add{Add()};
  EXPECT_TRUE(add.forward(ones({2}), 1).equal(full({2}, 3.0)));
  EXPECT_TRUE(add.forward(ones({2}), 1, 5.0).equal(full({2}, 6.0)));
  EXPECT_THAT(
      message_of([&] { add.forward(ones({2})); }),
      HasSubstr("expects at least 2 argument(s) and at most 3 argument(s), but received 1"));
  EXPECT_THAT(
      message_of([&] { add.forward(ones({2}), 1.5); }),
      HasSubstr("Expected argument #1 to be of type int, but received value of type double"));
  EXPECT_THAT(
      message_of([&] { length.forward(std::string("four")); }),
      HasSubstr("Attempted to cast AnyValue to tapedeck::Variable, but its actual type is long"));
  EXPECT_THAT(message_of([&] { length.forward<std::int64_t>(); }),
              HasSubstr("'s forward() method expects 1 argument(s), but received 0."));
}

TEST(AnyModule, GivesTheModuleBack) {
  nn::Linear fc(2, 3);
  nn::AnyModule any(fc);
  EXPECT_EQ(&any.get<nn::LinearImpl>(), fc.get());
  EXPECT_EQ(any.get<nn::Linear>().get(), fc.get());
  EXPECT_EQ(any.ptr<nn::LinearImpl>(), fc.ptr());
  EXPECT_TRUE(any.type_info() == typeid(nn::LinearImpl));
  EXPECT_THAT(message_of([&] { any.get<nn::ReLUImpl>(); }),
              HasSubstr("Attempted to cast module of type tapedeck::nn::LinearImpl to type"));
  nn::AnyModule copy = any, deep = any.clone();
  EXPECT_EQ(copy.ptr(), any.ptr());
  EXPECT_NE(deep.ptr(), any.ptr());
  nn::AnyModule none;
  EXPECT_TRUE(none.is_empty());
  EXPECT_EQ(message_of([&] { none.forward(ones({1})); }),
            "Cannot call forward() on an empty AnyModule");
  none = std::make_shared<nn::ReLUImpl>();
  EXPECT_FALSE(none.is_empty());
}

TEST(Sequential, PassesOnWhateverTheModulesReturn) {
  nn::Sequential net(nn::Linear(2, 2), Split(), Join(), nn::ReLU());
  const Tensor x = ones({1, 2});
  const Tensor y = net->ptr<nn::LinearImpl>(0)->forward(x);
  EXPECT_TRUE(net->forward(x).allclose((y * 3).relu()));
  nn::Sequential two{Add()};
  EXPECT_TRUE(two->forward(ones({2}), 1).equal(full({2}, 3.0)));
  nn::Sequential pair{Split()};
  const auto both = pair->forward<std::tuple<Tensor, Tensor>>(x);
  EXPECT_TRUE(std::get<1>(both).equal(x * 2));
  EXPECT_THAT(message_of([&] { pair->forward(x); }),
              HasSubstr("forward: The type of the return value is std::tuple<"));
  EXPECT_THAT(message_of([&] { pair->forward(x); }),
              HasSubstr(", but you asked for type tapedeck::Variable"));
  EXPECT_EQ(message_of([] { nn::Sequential()->forward(ones({1})); }),
            "Cannot call forward() on an empty Sequential");
}

TEST(Sequential, NestsAndCarriesNames) {
  nn::Sequential net({{"features", nn::Sequential({{"fc", nn::Linear(3, 4)}, {"act", nn::Tanh()}})},
                      {"head", nn::Linear(4, 2)}});
  EXPECT_THAT(net->named_parameters().keys(),
              ElementsAre("features.fc.weight", "features.fc.bias", "head.weight", "head.bias"));
  EXPECT_EQ(net->forward(ones({5, 3})).sizes().vec(), (std::vector<std::int64_t>{5, 2}));
  nn::Sequential inner(nn::Linear(3, 3), nn::ReLU());
  nn::Sequential outer(inner, nn::Linear(3, 1));
  EXPECT_TRUE(outer->forward(ones({2, 3}))
                  .equal(outer->ptr<nn::LinearImpl>(1)->forward(inner->forward(ones({2, 3})))));
}

TEST(Sequential, IsAContainer) {
  nn::Sequential net;
  net->push_back(nn::Linear(2, 3));
  net->push_back("act", nn::ReLU());
  net->push_back(nn::LinearImpl(3, 1));
  net->push_back(std::make_shared<nn::SigmoidImpl>());
  EXPECT_EQ(net->size(), 4u);
  EXPECT_THAT(net->named_children().keys(), ElementsAre("0", "act", "2", "3"));
  EXPECT_TRUE(net[1]->as<nn::ReLU>());
  EXPECT_EQ(net->at<nn::LinearImpl>(2).options.in_features(), 3);
  std::size_t count = 0;
  for (const nn::AnyModule& module : *net) count += !module.is_empty();
  EXPECT_EQ(count, 4u);
  nn::Sequential more;
  more->extend(*net);
  EXPECT_EQ(more->ptr(0), net->ptr(0));
  EXPECT_EQ(message_of([&] { net->ptr(4); }), "Sequential: Index out of range: 4 of 4 modules");
}

TEST(Sequential, SlicesShareTheirLayers) {
  nn::Sequential net({{"a", nn::Linear(2, 3)}, {"b", nn::ReLU()}, {"c", nn::Linear(3, 1)}});
  nn::Sequential first = net->first(2), last = net->slice(2, 3);
  EXPECT_THAT(first->named_children().keys(), ElementsAre("a", "b"));
  EXPECT_EQ(first->ptr(0), net->ptr(0));
  const Tensor x = ones({4, 2});
  EXPECT_TRUE(last->forward(first->forward(x)).equal(net->forward(x)));
  EXPECT_THROW(net->slice(2, 4), IndexError);
}

TEST(ModuleList, RegistersByPosition) {
  nn::ModuleList list(nn::Linear(2, 3), nn::ReLU());
  list->push_back(nn::LinearImpl(3, 1));
  list->insert(1, nn::Tanh());
  EXPECT_EQ(list->size(), 4u);
  EXPECT_THAT(list->named_children().keys(), ElementsAre("0", "1", "2", "3"));
  EXPECT_TRUE(list[1]->as<nn::Tanh>());
  EXPECT_TRUE(list->named_children()["3"]->as<nn::Linear>());
  EXPECT_EQ(list->at<nn::LinearImpl>(3).options.out_features(), 1);
  EXPECT_THAT(message_of([&] { list->at<nn::LinearImpl>(1); }),
              HasSubstr("ModuleList: module 1 is a tapedeck::nn::TanhImpl, not a"));
  EXPECT_THROW(list->ptr(4), IndexError);
  const auto copy = std::dynamic_pointer_cast<nn::ModuleListImpl>(list->clone());
  EXPECT_EQ(copy->size(), 4u);
  EXPECT_NE(copy->ptr(0), list->ptr(0));
}

TEST(ModuleDict, RegistersByKey) {
  OrderedDict<std::string, std::shared_ptr<nn::Module>> modules;
  modules.insert("fc", nn::Linear(2, 3).ptr());
  modules.insert("act", nn::ReLU().ptr());
  nn::ModuleDict dict(modules);
  EXPECT_THAT(dict->keys(), ElementsAre("fc", "act"));
  EXPECT_TRUE(dict->contains("act"));
  EXPECT_EQ(dict->at<nn::LinearImpl>("fc").options.in_features(), 2);
  dict->update(std::vector<std::pair<std::string, std::shared_ptr<nn::Module>>>{
      {"act", nn::Tanh().ptr()}, {"more", nn::ReLU().ptr()}});
  EXPECT_TRUE(dict["act"]->as<nn::Tanh>());
  EXPECT_EQ(dict->size(), 3u);
  EXPECT_TRUE(dict->pop("more")->as<nn::ReLU>());
  EXPECT_EQ(dict->children().size(), 2u);
  EXPECT_EQ(message_of([&] { dict["more"]; }), "Module 'more' is not defined");
  dict->clear();
  EXPECT_TRUE(dict->empty() && dict->parameters().empty());
}

TEST(ParameterContainers, RegisterTensors) {
  nn::ParameterList list(randn({2, 3}).requires_grad_(), ones({4}));
  list->append(zeros({1}));
  EXPECT_EQ(list->size(), 3u);
  EXPECT_TRUE(list->parameters()[0].requires_grad());
  EXPECT_FALSE(list[1].requires_grad());
  EXPECT_THROW(list->at(3), IndexError);
  nn::ParameterDict dict;
  dict->insert("w", randn({2}).requires_grad_());
  dict["w"].sum().backward();
  EXPECT_TRUE(dict->get("w").grad().equal(ones({2})));
  EXPECT_THAT(dict->keys(), ElementsAre("w"));
  const auto copy = std::dynamic_pointer_cast<nn::ParameterDictImpl>(dict->clone());
  EXPECT_TRUE(copy->get("w").requires_grad());
  EXPECT_FALSE(copy->get("w").is_alias_of(dict["w"]));
  EXPECT_TRUE(dict->pop("w").defined());
  EXPECT_TRUE(dict->empty());
}

TEST(Functional, MakesAFunctionAModule) {
  nn::Sequential net(nn::Functional([](Tensor x) { return x * 2; }),
                     nn::Functional(leaky_relu, 0.5));
  EXPECT_TRUE(net->forward(tensor({-1.0, 1.0})).equal(tensor({-1.0, 2.0})));
  EXPECT_FALSE(net[0]->is_serializable());
}

TEST(ModuleHolder, BehavesLikeAValue) {
  nn::Linear fc(2, 3), same = fc, none = nullptr;
  EXPECT_EQ(fc.get(), same.get());
  EXPECT_TRUE(none.is_empty());
  EXPECT_FALSE(none);
  EXPECT_EQ(message_of([&] { none(ones({2})); }), "Accessing empty ModuleHolder");
  EXPECT_EQ(message_of([&] { none->reset(); }), "Accessing empty ModuleHolder");
  none = fc;
  EXPECT_TRUE(none(ones({2})).equal(fc->forward(ones({2}))));
  nn::Linear from_pointer(std::make_shared<nn::LinearImpl>(2, 3));
  EXPECT_EQ(from_pointer->options.out_features(), 3);
}

TEST(OrderedDict, KeepsOrderAndChecksKeys) {
  OrderedDict<std::string, int> dict{{"b", 1}, {"a", 2}};
  EXPECT_THAT(dict.keys(), ElementsAre("b", "a"));
  dict.insert("c", 3);
  EXPECT_EQ(dict["a"], 2);
  EXPECT_EQ(dict[2].key(), "c");
  EXPECT_EQ(*dict.front(), 1);
  EXPECT_EQ(*dict.back(), 3);
  EXPECT_EQ(message_of([&] { dict.insert("a", 4); }), "Key 'a' already defined");
  EXPECT_EQ(message_of([&] { dict["d"]; }), "Key 'd' is not defined");
  EXPECT_EQ(message_of([&] { dict[std::size_t{3}]; }), "Index 3 is out of bounds");
  dict.erase("b");
  EXPECT_EQ(dict["c"], 3);
  EXPECT_EQ(message_of([&] { dict.erase("b"); }), "Key 'b' doesn't exist");
  EXPECT_EQ(dict.find("b"), nullptr);
  EXPECT_TRUE((dict == OrderedDict<std::string, int>{{"a", 2}, {"c", 3}}));
}

}  // namespace
}  // namespace tapedeck
