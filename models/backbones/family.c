#include "backbones/family.h"

const VigilFamily *const vigil_families[] = {
    &vigil_family_emo,
    &vigil_family_mobile_former,
    NULL,
};
