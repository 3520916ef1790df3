#include "backbones/family.h"

const VigilFamily *const vigil_families[] = {
    &vigil_family_emo,
    &vigil_family_mobile_former,
    &vigil_family_mobilevit,
    &vigil_family_mobilevitv2,
    &vigil_family_mobilevitv3_after_v1,
    &vigil_family_mobilevitv3_after_v2,
    &vigil_family_ssdlite_emo,
    &vigil_family_retinanet_emo,
    &vigil_family_deeplabv3_emo,
    &vigil_family_pspnet_emo,
    &vigil_family_ssd_mobilevit,
    &vigil_family_ssd_mobilevitv2,
    NULL,
};
