#pragma once

#include <tapedeck/optim/adadelta.h>
#include <tapedeck/optim/adagrad.h>
#include <tapedeck/optim/adam.h>
#include <tapedeck/optim/lbfgs.h>
#include <tapedeck/optim/lr_scheduler.h>
#include <tapedeck/optim/nadam.h>
#include <tapedeck/optim/optimizer.h>
#include <tapedeck/optim/radam.h>
#include <tapedeck/optim/rmsprop.h>
#include <tapedeck/optim/schedulers.h>
#include <tapedeck/optim/sgd.h>
