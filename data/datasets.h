#pragma once

#include <tapedeck/data/cifar10.h>
#include <tapedeck/data/dataset.h>
#include <tapedeck/data/image_folder.h>
#include <tapedeck/data/map_dataset.h>
#include <tapedeck/data/mnist.h>
#include <tapedeck/data/shared_dataset.h>
#include <tapedeck/data/subset.h>
#include <tapedeck/data/synthetic_digits.h>
#include <tapedeck/data/tensor_dataset.h>
