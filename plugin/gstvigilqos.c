/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilqos.h"

void gst_vigil_qos_reset(GstVigilQos *qos)
{
    qos->proportion = 1;
    qos->earliest = GST_CLOCK_TIME_NONE;
    qos->analysed = GST_CLOCK_TIME_NONE;
}

/* Twice the lateness, as the video decoders do: time to catch up. */
static GstClockTime earliest_time(GstClockTime running_time, GstClockTimeDiff late_by)
{
    if (late_by > 0)
        return running_time + 2 * (GstClockTime)late_by;
    const GstClockTime early_by = (GstClockTime)-late_by;
    return running_time > early_by ? running_time - early_by : 0;
}

void gst_vigil_qos_update(GstVigilQos *qos, GstEvent *event)
{
    GstClockTimeDiff late_by = 0;
    GstClockTime running_time = GST_CLOCK_TIME_NONE;

    gst_event_parse_qos(event, NULL, &qos->proportion, &late_by, &running_time);
    qos->earliest = GST_CLOCK_TIME_IS_VALID(running_time)
                        ? earliest_time(running_time, late_by)
                        : GST_CLOCK_TIME_NONE;
}

gboolean gst_vigil_qos_is_late(const GstVigilQos *qos, GstClockTime running_time)
{
    if (!GST_CLOCK_TIME_IS_VALID(running_time) ||
        !GST_CLOCK_TIME_IS_VALID(qos->earliest) || running_time > qos->earliest)
        return FALSE;
    if (!GST_CLOCK_TIME_IS_VALID(qos->analysed))
        return FALSE; /* nothing was looked at yet */
    return running_time < qos->analysed + GST_VIGIL_QOS_PATIENCE;
}
