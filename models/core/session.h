/* The inside of a session, for what turns its outputs into results. */
#ifndef VIGIL_CORE_SESSION_H
#define VIGIL_CORE_SESSION_H

#include "core/model.h"

const VigilModel *vigil_session_model(const VigilSession *session);
/* At most so many work on a run. */
int vigil_session_threads(const VigilSession *session);

/* VIGIL_ERROR_ARGUMENT where the session's network has another task. */
VigilStatus vigil_session_check_task(const VigilSession *session, VigilTask task,
                                     VigilError *error);

#endif
