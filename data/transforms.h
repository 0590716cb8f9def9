#pragma once

#include <tapedeck/data/image_transforms.h>
#include <tapedeck/data/stack.h>
#include <tapedeck/data/transform.h>
