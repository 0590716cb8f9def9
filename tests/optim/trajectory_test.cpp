// Seven steps of every optimiser with given gradients. The expected values are libtorch 1.13.1's;
// its optimisers that C++ does not have are compared with their formulas, written out in float64.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <tapedeck/optim/optim.h>
#include "tests/support/arrays.h"

namespace tapedeck::optim {
namespace {

using tapedeck::testing::ThreadCount;

struct Golden {
  const char* name;
  std::vector<float> float32;
  std::vector<double> float64;
};

const std::vector<Golden> kGoldens = {
    {"sgd",
     {0x1.adcc52p-1f, 0x1.56995ap-1f, -0x1.51b462p-5f, -0x1.ce9e6ep-1f, -0x1.0e101ep+0f,
      0x1.10acd4p-1f, 0x1.2da6f4p+0f, -0x1.893878p-1f, 0x1.929568p-2f, -0x1.0b176cp-2f},
     {0.83944940660722767, 0.66913873377274147, -0.041223723104758206, -0.90355244974109439,
      -1.054933372909195, 0.53256860847645604, 1.1783287405559761, -0.76800905557080756,
      0.39314807773783683, -0.26083151328826337}},
    {"sgd_momentum",
     {0x1.f1c22ap-5f, 0x1.6596b8p-4f, 0x1.b4694cp-2f, -0x1.ca5c0cp-1f, -0x1.13c862p+0f,
      -0x1.b70698p-3f, 0x1.954a46p+0f, -0x1.422dacp+0f, -0x1.e29d4ap-2f, -0x1.2923b8p-1f},
     {0.060761386377608917, 0.087301838458901146, 0.42618292123082269, -0.89523346619093358,
      -1.0772763462417339, -0.21436802789144135, 1.5831646365775804, -1.2585094953999567,
      -0.47130308496401541, -0.58035063596073933}},
    {"sgd_dampening",
     {0x1.10aaf8p-2f, 0x1.05765ap-4f, 0x1.5bc484p-3f, -0x1.a2ffcp-1f, -0x1.a3161cp-1f,
      -0x1.28ced6p-3f, 0x1.3b06e8p+0f, -0x1.31c94ap+0f, -0x1.083f4ap-2f, -0x1.4abec8p-2f},
     {0.26627715676146441, 0.063833522837860035, 0.16980839916522997, -0.81835746354512262,
      -0.8185280642346745, -0.14492578507488735, 1.2305740239930607, -1.1944778375416598,
      -0.25805398262730156, -0.322993375496473}},
    {"sgd_nesterov",
     {0x1.c2134cp-3f, 0x1.9508e6p-2f, 0x1.b0723ep-2f, -0x1.c1c084p-1f, -0x1.39295ap+0f,
      0x1.c46772p-4f, 0x1.9487ap+0f, -0x1.de20b6p-1f, -0x1.b85012p-3f, -0x1.44838ap-1f},
     {0.21976336632945193, 0.39554174752260274, 0.42231075456114586, -0.87842193201711938,
      -1.2232872126000309, 0.11045027385746792, 1.5801945004891089, -0.93384327054451877,
      -0.21499647269433841, -0.63381605434472044}},
    {"sgd_decay",
     {0x1.744892p-1f, 0x1.34fbb4p-1f, -0x1.69a218p-6f, -0x1.91b078p-1f, -0x1.e0189ep-1f,
      0x1.ed1e3ap-2f, 0x1.09c9d8p+0f, -0x1.495c4cp-1f, 0x1.6452fp-2f, -0x1.f2f428p-3f},
     {0.72711610790093972, 0.60348279469513655, -0.022072353250265974, -0.78454944099396695,
      -0.93768772244102161, 0.48156065393929032, 1.0382361561292248, -0.64328227869590404,
      0.34797267118790298, -0.24362973934562185}},
    {"adam",
     {0x1.ea906cp-1f, 0x1.2d07bp-1f, -0x1.b63d98p-3f, -0x1.b7719p-1f, -0x1.c62edap-1f,
      0x1.ff6bfp-2f, 0x1.00a936p+0f, -0x1.bcfffcp-1f, 0x1.d7210cp-2f, -0x1.552a72p-4f},
     {0.95813302720931282, 0.58794926629294297, -0.21398466882486736, -0.85828828182098227,
      -0.88707619682889205, 0.49943516021393575, 1.00258194945787, -0.8691405495006751,
      0.46008700823576826, -0.083292429422012301}},
    {"adam_decay",
     {0x1.c84946p-1f, 0x1.1f6bc6p-1f, -0x1.875bcap-3f, -0x1.887dd8p-1f, -0x1.c15938p-1f,
      0x1.dd24cep-2f, 0x1.011a5p+0f, -0x1.c129aap-1f, 0x1.a5fd48p-2f, -0x1.877728p-4f},
     {0.89118405382295507, 0.56136909239119848, -0.19109305905338878, -0.76658506210999922,
      -0.87763383670085116, 0.46596073888731376, 1.0043077880101074, -0.87727105522522875,
      0.41209907688620023, -0.095572616593353685}},
    {"adam_amsgrad",
     {0x1.e537dp-1f, 0x1.2ce2bep-1f, -0x1.b5de32p-3f, -0x1.aec782p-1f, -0x1.c5e16cp-1f,
      0x1.ff350ap-2f, 0x1.00778ap+0f, -0x1.bcc6f2p-1f, 0x1.d6f68ap-2f, -0x1.54f37ap-4f},
     {0.94769136865911485, 0.58766741135893563, -0.21380270203087384, -0.84136587529500018,
      -0.88648539442043339, 0.49922578113841659, 1.0018240458439864, -0.8687053403889422,
      0.45992489298332895, -0.083240004814724516}},
    {"adamw",
     {0x1.ea3648p-1f, 0x1.2cd0e2p-1f, -0x1.b5e8bap-3f, -0x1.b7212p-1f, -0x1.c5de04p-1f,
      0x1.ff0d9ap-2f, 0x1.007bf2p+0f, -0x1.bcb0e4p-1f, 0x1.d6c842p-2f, -0x1.54f736p-4f},
     {0.9574454116886455, 0.58753118237143476, -0.21382282719082366, -0.85767467061683622,
      -0.88645955648130814, 0.49907534603348935, 1.0018913212053364, -0.86853722809322842,
      0.45974839380236182, -0.083243573266406731}},
    {"adamw_amsgrad",
     {0x1.6eeeap-1f, 0x1.ddd482p-2f, -0x1.ca689p-4f, -0x1.4e01ccp-1f, -0x1.a3c066p-1f,
      0x1.6b8bb6p-2f, 0x1.f2f06ep-1f, -0x1.a843a4p-1f, 0x1.04c5eep-2f, -0x1.18177ep-3f},
     {0.71666415599934064, 0.46663093525905619, -0.11191612890186284, -0.65235732724107809,
      -0.81982711466325897, 0.35502511105428319, 0.97449057202976919, -0.82864100918579553,
      0.25466126987113868, -0.13676354706115357}},
    {"rmsprop",
     {0x1.9d5738p-1f, 0x1.284324p-1f, -0x1.c92a8p-4f, -0x1.8b104ep-1f, -0x1.e81f22p-1f,
      0x1.cd0f94p-2f, 0x1.19933ap+0f, -0x1.b9b446p-1f, 0x1.2f9eccp-2f, -0x1.643242p-3f},
     {0.80730608295449557, 0.5786371952094328, -0.11161279909262714, -0.77160873434899291,
      -0.9533624749354026, 0.45025479204462548, 1.0999027199659086, -0.86270348358395377,
      0.29650421703032781, -0.17392397664450385}},
    {"rmsprop_momentum",
     {0x1.0938b4p-1f, 0x1.a8a2a6p-2f, -0x1.9e9512p-4f, -0x1.ca155ep-2f, -0x1.ad2f5p-1f,
      0x1.18af98p-2f, 0x1.0924fcp+0f, -0x1.f36376p-1f, 0x1.b7d446p-4f, -0x1.1a842p-3f},
     {0.51801068590208821, 0.41468288895775218, -0.1012163774159613, -0.44734710445791043,
      -0.83825153610328429, 0.27410730377228576, 1.0357205264546712, -0.97536829582505469,
      0.10738013840367384, -0.13794733518990462}},
    {"rmsprop_centered",
     {0x1.9c41fap-1f, 0x1.2799fap-1f, -0x1.c745c8p-4f, -0x1.8a08c8p-1f, -0x1.e7e3eep-1f,
      0x1.cb5b64p-2f, 0x1.19a6a4p+0f, -0x1.ba49fep-1f, 0x1.2cf652p-2f, -0x1.645958p-3f},
     {0.80519094437619465, 0.57734657329483696, -0.11115053190150492, -0.76959825512387292,
      -0.95291083728430803, 0.44859083151046053, 1.1001990503777184, -0.86384589264864253,
      0.29390840796455081, -0.17399854803849019}},
    {"rmsprop_all",
     {0x1.a388f2p-1f, 0x1.25ea3p-1f, -0x1.3ca16ap-3f, -0x1.54b3ccp-1f, -0x1.cfaf44p-1f,
      0x1.dc3734p-2f, 0x1.0809d4p+0f, -0x1.b4be92p-1f, 0x1.790c9cp-2f, -0x1.0931p-3f},
     {0.81940412625819892, 0.57405234668192018, -0.15460472665734967, -0.66543414822042302,
      -0.90563401247723851, 0.4650543126631575, 1.0313999890177372, -0.85301646189847757,
      0.36821217073708246, -0.1294879914984331}},
    {"adagrad",
     {0x1.9d224p-1f, 0x1.276c1p-1f, -0x1.cbfa5ep-4f, -0x1.8a77e4p-1f, -0x1.e7556cp-1f,
      0x1.cb9f9p-2f, 0x1.195cc4p+0f, -0x1.ba943cp-1f, 0x1.2edc7ap-2f, -0x1.621a3ep-3f},
     {0.80690200832774672, 0.5769962605125305, -0.11229935819486837, -0.77044596487695116,
      -0.95182352168522533, 0.44885093136533183, 1.0990718000735684, -0.86441220309952826,
      0.29576293967782014, -0.172901593112185}},
    {"adagrad_all",
     {0x1.acb3dp-1f, 0x1.18b37p-1f, -0x1.1d936ap-3f, -0x1.b782d6p-1f, -0x1.cdaf8ep-1f,
      0x1.bde2bap-2f, 0x1.0c5ab4p+0f, -0x1.c24e74p-1f, 0x1.66c224p-2f, -0x1.18fe58p-3f},
     {0.83730941680109794, 0.54824397107646805, -0.13944133679372819, -0.85842009271636177,
      -0.90172993553404468, 0.43543525005763173, 1.0482590419674023, -0.87950481596521368,
      0.3503499792106235, -0.13720386901057074}},
};

std::unique_ptr<Optimizer> make(const std::string& name, const std::vector<Variable>& params) {
  if (name == "sgd") return std::make_unique<SGD>(params, SGDOptions(0.1));
  if (name == "sgd_momentum") return std::make_unique<SGD>(params, SGDOptions(0.1).momentum(0.9));
  if (name == "sgd_dampening")
    return std::make_unique<SGD>(params,
                                 SGDOptions(0.1).momentum(0.9).dampening(0.3).weight_decay(0.05));
  if (name == "sgd_nesterov")
    return std::make_unique<SGD>(params,
                                 SGDOptions(0.1).momentum(0.8).nesterov(true).weight_decay(0.01));
  if (name == "sgd_decay") return std::make_unique<SGD>(params, SGDOptions(0.1).weight_decay(0.2));
  if (name == "adam") return std::make_unique<Adam>(params, AdamOptions(0.01));
  if (name == "adam_decay")
    return std::make_unique<Adam>(params,
                                  AdamOptions(0.02).betas({0.8, 0.95}).eps(1e-6).weight_decay(0.1));
  if (name == "adam_amsgrad")
    return std::make_unique<Adam>(params, AdamOptions(0.01).amsgrad(true).weight_decay(0.01));
  if (name == "adamw") return std::make_unique<AdamW>(params, AdamWOptions(0.01));
  if (name == "adamw_amsgrad")
    return std::make_unique<AdamW>(
        params, AdamWOptions(0.05).amsgrad(true).weight_decay(0.3).betas({0.7, 0.9}));
  if (name == "rmsprop") return std::make_unique<RMSprop>(params, RMSpropOptions(0.01));
  if (name == "rmsprop_momentum")
    return std::make_unique<RMSprop>(
        params, RMSpropOptions(0.01).momentum(0.9).alpha(0.9).weight_decay(0.1).eps(1e-5));
  if (name == "rmsprop_centered")
    return std::make_unique<RMSprop>(params, RMSpropOptions(0.01).centered(true));
  if (name == "rmsprop_all")
    return std::make_unique<RMSprop>(
        params, RMSpropOptions(0.01).centered(true).momentum(0.5).alpha(0.8).weight_decay(0.1));
  if (name == "adagrad") return std::make_unique<Adagrad>(params, AdagradOptions(0.1));
  if (name == "adagrad_all")
    return std::make_unique<Adagrad>(
        params,
        AdagradOptions(0.1).lr_decay(0.1).weight_decay(0.05).initial_accumulator_value(0.3).eps(
            1e-6));
  if (name == "adadelta")
    return std::make_unique<Adadelta>(params, AdadeltaOptions(0.5).rho(0.8).weight_decay(0.1));
  if (name == "nadam") return std::make_unique<NAdam>(params, NAdamOptions().weight_decay(0.1));
  return std::make_unique<RAdam>(params, RAdamOptions(0.01).betas({0.8, 0.99}).weight_decay(0.1));
}

constexpr int kSteps = 7;
const std::int64_t kSizes[] = {5, 19};
const std::int64_t kShown[][5] = {{0, 1, 2, 3, 4}, {0, 6, 10, 14, 18}};

double first_value(std::int64_t j, int k) { return std::cos(0.9 * static_cast<double>(j) + k); }
double gradient(int step, std::int64_t j, int k) {
  return std::sin(0.7 * step + 1.3 * static_cast<double>(j) + k) * (j % 4 == 3 ? 0.01 : 1.0);
}

// The two parameters after kSteps steps.
template <typename T>
std::vector<Variable> trained(const std::string& name, bool strided = false) {
  std::vector<Variable> params;
  for (int k = 0; k < 2; ++k) {
    Array a = Array::empty({strided ? 2 * kSizes[k] : kSizes[k]}, dtype_of<T>);
    if (strided) a = a.slice(0, 0, 2 * kSizes[k], 2);
    for (std::int64_t j = 0; j < kSizes[k]; ++j)
      a.data<T>()[j * a.strides()[0]] = static_cast<T>(first_value(j, k));
    Variable p(a);
    p.set_requires_grad(true);
    params.push_back(p);
  }
  const auto optimizer = make(name, params);
  for (int step = 0; step < kSteps; ++step) {
    for (int k = 0; k < 2; ++k) {
      Array g = Array::empty({strided ? 3 * kSizes[k] : kSizes[k]}, dtype_of<T>);
      if (strided) g = g.slice(0, 0, 3 * kSizes[k], 3);
      for (std::int64_t j = 0; j < kSizes[k]; ++j)
        g.data<T>()[j * g.strides()[0]] = static_cast<T>(gradient(step, j, k));
      params[static_cast<std::size_t>(k)].mutable_grad() = Variable(g);
    }
    optimizer->step();
  }
  return params;
}

template <typename T>
void expect_golden(const char* name, const std::vector<T>& expected, double tolerance) {
  const std::vector<Variable> params = trained<T>(name);
  for (std::size_t k = 0; k < 2; ++k)
    for (std::size_t j = 0; j < 5; ++j) {
      const T got = params[k].template data_ptr<T>()[kShown[k][j]], want = expected[5 * k + j];
      EXPECT_NEAR(got, want, tolerance * std::max(T(1), std::abs(want)))
          << name << " " << k << " " << j;
    }
}

TEST(Trajectory, EqualsLibtorchs) {
  for (const Golden& golden : kGoldens) {
    expect_golden(golden.name, golden.float32, 3e-7);
    expect_golden(golden.name, golden.float64, 1e-14);
  }
}

TEST(Trajectory, DoesNotDependOnTheLayout) {
  for (const char* name : {"sgd_nesterov", "adam_amsgrad", "rmsprop_all", "adagrad_all"}) {
    const std::vector<Variable> a = trained<float>(name), b = trained<float>(name, true);
    for (std::size_t k = 0; k < 2; ++k)
      EXPECT_EQ(testing::values<float>(a[k].array()), testing::values<float>(b[k].array()));
  }
}

// ---- optimisers that libtorch's C++ does not have ----

// One element's way through `kSteps` steps of a rule step(p, g, number).
template <typename Step>
void expect_formula(const char* name, Step make_step) {
  const std::vector<Variable> params = trained<double>(name);
  const std::vector<Variable> floats = trained<float>(name);
  for (int k = 0; k < 2; ++k)
    for (std::int64_t j = 0; j < kSizes[k]; ++j) {
      double p = first_value(j, k);
      auto step = make_step();
      for (int s = 0; s < kSteps; ++s) step(p, gradient(s, j, k), s + 1);
      const auto i = static_cast<std::size_t>(k);
      EXPECT_NEAR(params[i].data_ptr<double>()[j], p, 1e-13) << name;
      EXPECT_NEAR(floats[i].data_ptr<float>()[j], p, 1e-5) << name;
    }
}

TEST(Trajectory, Adadelta) {
  expect_formula("adadelta", [] {
    return [s = 0.0, u = 0.0](double& p, double g, int) mutable {
      g += 0.1 * p;
      s = 0.8 * s + 0.2 * g * g;
      const double d = std::sqrt(u + 1e-6) / std::sqrt(s + 1e-6) * g;
      u = 0.8 * u + 0.2 * d * d;
      p -= 0.5 * d;
    };
  });
}

TEST(Trajectory, NAdam) {
  expect_formula("nadam", [] {
    return [m = 0.0, v = 0.0, product = 1.0](double& p, double g, int t) mutable {
      g += 0.1 * p;
      m = 0.9 * m + (1 - 0.9) * g;
      v = 0.999 * v + (1 - 0.999) * g * g;
      const double mu = 0.9 * (1 - 0.5 * std::pow(0.96, t * 4e-3));
      const double next = 0.9 * (1 - 0.5 * std::pow(0.96, (t + 1) * 4e-3));
      product *= mu;
      const double mean = next * m / (1 - product * next) + (1 - mu) * g / (1 - product);
      p -= 2e-3 * mean / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
    };
  });
}

TEST(Trajectory, RAdam) {
  expect_formula("radam", [] {
    return [m = 0.0, v = 0.0](double& p, double g, int t) mutable {
      g += 0.1 * p;
      m = 0.8 * m + (1 - 0.8) * g;
      v = 0.99 * v + (1 - 0.99) * g * g;
      const double mean = m / (1 - std::pow(0.8, t));
      const double limit = 2 / (1 - 0.99) - 1;
      const double power = std::pow(0.99, t), rho = limit - 2 * t * power / (1 - power);
      if (rho > 5) {
        const double r =
            std::sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho));
        p -= 0.01 * mean * r * std::sqrt(1 - power) / (std::sqrt(v) + 1e-8);
      } else {
        p -= 0.01 * mean;
      }
    };
  });
}

// Behaviour A10: both kinds of weight decay, by one step from known numbers.
TEST(BehaviourA10, AdamWithCoupledAndDecoupledWeightDecay) {
  const auto after_one_step = [](auto&& make_optimizer) {
    Variable p(testing::array_of<double>({2}, {1}));
    p.set_requires_grad(true);
    auto optimizer = make_optimizer(std::vector<Variable>{p});
    p.mutable_grad() = Variable(testing::array_of<double>({0.5}, {1}));
    optimizer->step();
    return p.item<double>();
  };
  EXPECT_EQ(AdamOptions().lr(), 1e-3);
  EXPECT_EQ(AdamOptions().betas(), std::make_tuple(0.9, 0.999));
  EXPECT_EQ(AdamOptions().eps(), 1e-8);
  // The first step is lr * g / (|g| + eps), whatever the size of g.
  EXPECT_NEAR(after_one_step([](auto params) { return std::make_unique<Adam>(params); }),
              2 - 1e-3 * 0.5 / (0.5 + 1e-8), 1e-15);
  EXPECT_NEAR(after_one_step([](auto params) {
                return std::make_unique<Adam>(params, AdamOptions().weight_decay(0.25));
              }),
              2 - 1e-3 * 1.0 / (1.0 + 1e-8), 1e-15);
  EXPECT_NEAR(after_one_step([](auto params) {
                return std::make_unique<AdamW>(params, AdamWOptions().weight_decay(0.25));
              }),
              2 * (1 - 1e-3 * 0.25) - 1e-3 * 0.5 / (0.5 + 1e-8), 1e-15);
}

TEST(Trajectory, MaximizeGoesUp) {
  Variable p(testing::array_of<float>({1}, {1}));
  p.set_requires_grad(true);
  SGD optimizer({p}, SGDOptions(0.5).maximize(true));
  p.mutable_grad() = Variable(testing::array_of<float>({2}, {1}));
  optimizer.step();
  EXPECT_EQ(p.item<float>(), 2);
}

TEST(Trajectory, DoesNotDependOnTheNumberOfThreads) {
  std::vector<std::vector<float>> results;
  for (int threads : {1, 2, 3}) {
    ThreadCount count(threads);
    std::vector<Variable> params;
    for (std::int64_t size : {100001, 3, 70000}) {
      params.emplace_back(testing::random_array({size}, kFloat32, 1));
      params.back().set_requires_grad(true);
      params.back().mutable_grad() = Variable(testing::random_array({size}, kFloat32, 2));
    }
    Adam optimizer(params, AdamOptions(0.1).amsgrad(true));
    for (int i = 0; i < 3; ++i) optimizer.step();
    results.push_back(testing::values<float>(params[0].array()));
    const std::vector<float> rest = testing::values<float>(params[2].array());
    results.back().insert(results.back().end(), rest.begin(), rest.end());
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

}  // namespace
}  // namespace tapedeck::optim
