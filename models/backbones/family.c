#include "backbones/family.h"

const VigilFamily *const vigil_families[] = {
    &vigil_family_emo,
    NULL,
};
