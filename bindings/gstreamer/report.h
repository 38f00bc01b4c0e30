/* What was heard, as GstStructures: the same ones in the messages on the bus and in the metadata of buffers. */
#ifndef AURICLE_GST_REPORT_H
#define AURICLE_GST_REPORT_H

#include "filter.h"

/* Name of the custom metadata. Its structure has `element`, the name of the filter; `scores` and `events`, arrays of the
 * structures below. */
#define AURICLE_META "AuricleMeta"

/* Registers the metadata. Once a process. */
void auricle_report_register(void);

/* "auricle-scores": a window, with all scores of it in `self->values`. */
GstStructure *auricle_report_scores(AuricleFilter *self, const auricle_result *result);

/* "auricle-event": a sound, provisional or final. */
GstStructure *auricle_report_event(AuricleFilter *self, const auricle_event *event);

/* Posts a copy of `structure`, and puts `structure` itself onto `buffer`, which is writable, or NULL: there is none. */
void auricle_report(AuricleFilter *self, GstBuffer *buffer, GstStructure *structure);

#endif
