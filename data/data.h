#pragma once

#include <tapedeck/data/batch_random.h>
#include <tapedeck/data/dataloader.h>
#include <tapedeck/data/datasets.h>
#include <tapedeck/data/example.h>
#include <tapedeck/data/idx.h>
#include <tapedeck/data/locate.h>
#include <tapedeck/data/samplers.h>
#include <tapedeck/data/transforms.h>
