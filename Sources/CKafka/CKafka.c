#include "CKafka.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*delivery_call)(tkf_client *, const tkf_message *, void *);
typedef void (*list_call)(tkf_client *, int, tkf_list *, void *);
typedef void (*error_call)(tkf_client *, int, const char *, void *);
typedef void (*log_call)(const tkf_client *, int, const char *, const char *);

// One line per function: type of the result, librdkafka's name without its prefix, parameters.
#define FUNCTIONS(X)                                                                                          \
    X(const char *, version_str, (void))                                                                      \
    X(const char *, err2str, (int))                                                                           \
    X(const char *, err2name, (int))                                                                          \
    X(int, last_error, (void))                                                                                \
    X(tkf_conf *, conf_new, (void))                                                                           \
    X(void, conf_destroy, (tkf_conf *))                                                                       \
    X(int, conf_set, (tkf_conf *, const char *, const char *, char *, size_t))                                \
    X(void, conf_set_opaque, (tkf_conf *, void *))                                                            \
    X(void, conf_set_dr_msg_cb, (tkf_conf *, delivery_call))                                                  \
    X(void, conf_set_rebalance_cb, (tkf_conf *, list_call))                                                   \
    X(void, conf_set_offset_commit_cb, (tkf_conf *, list_call))                                               \
    X(void, conf_set_error_cb, (tkf_conf *, error_call))                                                      \
    X(void, conf_set_log_cb, (tkf_conf *, log_call))                                                          \
    X(tkf_client *, new, (int, tkf_conf *, char *, size_t))                                                   \
    X(void, destroy_flags, (tkf_client *, int))                                                               \
    X(void *, opaque, (const tkf_client *))                                                                   \
    X(int, poll, (tkf_client *, int))                                                                         \
    X(int, fatal_error, (tkf_client *, char *, size_t))                                                       \
    X(int, metadata, (tkf_client *, int, tkf_topic *, const tkf_metadata **, int))                            \
    X(void, metadata_destroy, (const tkf_metadata *))                                                         \
    X(int, query_watermark_offsets, (tkf_client *, const char *, int32_t, int64_t *, int64_t *, int))         \
    X(int, get_watermark_offsets, (tkf_client *, const char *, int32_t, int64_t *, int64_t *))                \
    X(int, offsets_for_times, (tkf_client *, tkf_list *, int))                                                \
    X(tkf_list *, topic_partition_list_new, (int))                                                            \
    X(void, topic_partition_list_destroy, (tkf_list *))                                                       \
    X(tkf_topic_partition *, topic_partition_list_add, (tkf_list *, const char *, int32_t))                   \
    X(void *, mem_malloc, (tkf_client *, size_t))                                                             \
    X(void, mem_free, (tkf_client *, void *))                                                                 \
    X(int, poll_set_consumer, (tkf_client *))                                                                 \
    X(tkf_queue *, queue_get_consumer, (tkf_client *))                                                        \
    X(void, queue_destroy, (tkf_queue *))                                                                     \
    X(void, queue_yield, (tkf_queue *))                                                                       \
    X(int, subscribe, (tkf_client *, const tkf_list *))                                                       \
    X(tkf_message *, consume_queue, (tkf_queue *, int))                                                       \
    X(ptrdiff_t, consume_batch_queue, (tkf_queue *, int, tkf_message **, size_t))                             \
    X(void, message_destroy, (tkf_message *))                                                                 \
    X(int64_t, message_timestamp, (const tkf_message *, int *))                                               \
    X(const char *, topic_name, (const tkf_topic *))                                                          \
    X(const char *, rebalance_protocol, (tkf_client *))                                                       \
    X(int, assignment_lost, (tkf_client *))                                                                   \
    X(int, assign, (tkf_client *, const tkf_list *))                                                          \
    X(tkf_error *, incremental_assign, (tkf_client *, const tkf_list *))                                      \
    X(tkf_error *, incremental_unassign, (tkf_client *, const tkf_list *))                                    \
    X(int, pause_partitions, (tkf_client *, tkf_list *))                                                      \
    X(int, resume_partitions, (tkf_client *, tkf_list *))                                                     \
    X(tkf_error *, seek_partitions, (tkf_client *, tkf_list *, int))                                          \
    X(int, committed, (tkf_client *, tkf_list *, int))                                                        \
    X(int, commit, (tkf_client *, const tkf_list *, int))                                                     \
    X(tkf_error *, consumer_close_queue, (tkf_client *, tkf_queue *))                                         \
    X(int, consumer_closed, (tkf_client *))                                                                   \
    X(int, error_code, (const tkf_error *))                                                                   \
    X(const char *, error_string, (const tkf_error *))                                                        \
    X(void, error_destroy, (tkf_error *))                                                                     \
    X(tkf_topic *, topic_new, (tkf_client *, const char *, tkf_topic_conf *))                                 \
    X(void, topic_destroy, (tkf_topic *))                                                                     \
    X(int, producev, (tkf_client *, ...))                                                                     \
    X(tkf_headers *, headers_new, (size_t))                                                                   \
    X(void, headers_destroy, (tkf_headers *))                                                                 \
    X(int, header_add, (tkf_headers *, const char *, ptrdiff_t, const void *, ptrdiff_t))                     \
    X(int, outq_len, (tkf_client *))                                                                          \
    X(int, flush, (tkf_client *, int))                                                                        \
    X(int, purge, (tkf_client *, int))

// Not in every build, and not needed in production.
#define OPTIONAL_FUNCTIONS(X)                                                                                 \
    X(tkf_mock *, mock_cluster_new, (tkf_client *, int))                                                      \
    X(void, mock_cluster_destroy, (tkf_mock *))                                                               \
    X(const char *, mock_cluster_bootstraps, (const tkf_mock *))                                              \
    X(int, mock_topic_create, (tkf_mock *, const char *, int, int))                                           \
    X(void, mock_group_initial_rebalance_delay_ms, (tkf_mock *, int32_t))

#define POINTER(result, name, parameters) result(*name) parameters;
static struct {
    FUNCTIONS(POINTER)
    OPTIONAL_FUNCTIONS(POINTER)
} library;

#if defined(__APPLE__)
static const char *const names[] = {"librdkafka.1.dylib", "/opt/homebrew/lib/librdkafka.1.dylib"};
#else
static const char *const names[] = {"librdkafka.so.1"};
#endif

static const char *missing(const char *name) {
    static char text[160];
    snprintf(text, sizeof text, "it is older than version 1.9: the function rd_kafka_%s is missing", name);
    return text;
}

#define FIND(result, name, parameters)                        \
    *(void **)&library.name = dlsym(handle, "rd_kafka_" #name); \
    if (!library.name) {                                      \
        dlclose(handle);                                      \
        return missing(#name);                                \
    }

#define FIND_OPTIONAL(result, name, parameters) *(void **)&library.name = dlsym(handle, "rd_kafka_" #name);

const char *tkf_load(const char *path) {
    void *handle = NULL;
    if (path) {
        handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    } else {
        for (size_t index = 0; !handle && index < sizeof names / sizeof *names; index++) {
            handle = dlopen(names[index], RTLD_NOW | RTLD_LOCAL);
        }
    }
    if (!handle) return dlerror();
    FUNCTIONS(FIND)
    OPTIONAL_FUNCTIONS(FIND_OPTIONAL)
    return NULL;
}

const char *tkf_version(void) { return library.version_str(); }
const char *tkf_error_text(int err) { return library.err2str(err); }
const char *tkf_error_name(int err) { return library.err2name(err); }

// The number of an error, its text copied, and freed; 0 for none.
static int take(tkf_error *error, char *text, size_t text_size) {
    if (!error) return 0;
    int code = library.error_code(error);
    if (text && text_size > 0) snprintf(text, text_size, "%s", library.error_string(error));
    library.error_destroy(error);
    return code;
}

tkf_conf *tkf_conf_new(void) { return library.conf_new(); }
void tkf_conf_destroy(tkf_conf *conf) { library.conf_destroy(conf); }
int tkf_conf_set(tkf_conf *conf, const char *name, const char *value, char *text, size_t text_size) {
    return library.conf_set(conf, name, value, text, text_size);
}
void tkf_conf_set_opaque(tkf_conf *conf, void *opaque) { library.conf_set_opaque(conf, opaque); }
void tkf_conf_set_delivery(tkf_conf *conf, delivery_call call) { library.conf_set_dr_msg_cb(conf, call); }
void tkf_conf_set_rebalance(tkf_conf *conf, list_call call) { library.conf_set_rebalance_cb(conf, call); }
void tkf_conf_set_commit(tkf_conf *conf, list_call call) { library.conf_set_offset_commit_cb(conf, call); }
void tkf_conf_set_error(tkf_conf *conf, error_call call) { library.conf_set_error_cb(conf, call); }
void tkf_conf_set_log(tkf_conf *conf, log_call call) { library.conf_set_log_cb(conf, call); }

tkf_client *tkf_new(int kind, tkf_conf *conf, char *text, size_t text_size) {
    return library.new(kind, conf, text, text_size);
}
void tkf_destroy(tkf_client *client, int flags) { library.destroy_flags(client, flags); }
void *tkf_opaque(const tkf_client *client) { return library.opaque(client); }
int tkf_poll(tkf_client *client, int milliseconds) { return library.poll(client, milliseconds); }
int tkf_fatal_error(tkf_client *client, char *text, size_t text_size) {
    return library.fatal_error(client, text, text_size);
}
int tkf_get_metadata(
    tkf_client *client, int all_topics, tkf_topic *only, const tkf_metadata **metadata, int milliseconds) {
    return library.metadata(client, all_topics, only, metadata, milliseconds);
}
void tkf_metadata_destroy(const tkf_metadata *metadata) { library.metadata_destroy(metadata); }
int tkf_query_watermarks(
    tkf_client *client, const char *topic, int32_t partition, int64_t *low, int64_t *high, int milliseconds) {
    return library.query_watermark_offsets(client, topic, partition, low, high, milliseconds);
}
int tkf_get_watermarks(tkf_client *client, const char *topic, int32_t partition, int64_t *low, int64_t *high) {
    return library.get_watermark_offsets(client, topic, partition, low, high);
}
int tkf_offsets_for_times(tkf_client *client, tkf_list *list, int milliseconds) {
    return library.offsets_for_times(client, list, milliseconds);
}

tkf_list *tkf_list_new(int size) { return library.topic_partition_list_new(size); }
void tkf_list_destroy(tkf_list *list) { library.topic_partition_list_destroy(list); }
tkf_topic_partition *tkf_list_add(tkf_list *list, const char *topic, int32_t partition) {
    return library.topic_partition_list_add(list, topic, partition);
}
int tkf_set_metadata(tkf_topic_partition *element, const char *text, size_t length) {
    // The list frees it with the library's own allocator.
    void *copy = library.mem_malloc(NULL, length + 1);
    if (!copy) return 1;
    memcpy(copy, text, length);
    ((char *)copy)[length] = 0;
    if (element->metadata) library.mem_free(NULL, element->metadata);
    element->metadata = copy;
    element->metadata_size = length;
    return 0;
}

int tkf_poll_set_consumer(tkf_client *client) { return library.poll_set_consumer(client); }
tkf_queue *tkf_queue_of_consumer(tkf_client *client) { return library.queue_get_consumer(client); }
void tkf_queue_destroy(tkf_queue *queue) { library.queue_destroy(queue); }
void tkf_queue_yield(tkf_queue *queue) { library.queue_yield(queue); }
int tkf_subscribe(tkf_client *client, const tkf_list *topics) { return library.subscribe(client, topics); }
tkf_message *tkf_consume(tkf_queue *queue, int milliseconds) { return library.consume_queue(queue, milliseconds); }
ptrdiff_t tkf_consume_batch(tkf_queue *queue, int milliseconds, tkf_message **messages, size_t size) {
    return library.consume_batch_queue(queue, milliseconds, messages, size);
}
void tkf_messages_destroy(tkf_message **messages, size_t count) {
    for (size_t index = 0; index < count; index++) library.message_destroy(messages[index]);
}
const char *tkf_topic_name(const tkf_topic *topic) { return library.topic_name(topic); }
int64_t tkf_message_time(const tkf_message *message) {
    int kind = 0;
    int64_t time = library.message_timestamp(message, &kind);
    return kind == 0 ? -1 : time;
}
const char *tkf_rebalance_protocol(tkf_client *client) { return library.rebalance_protocol(client); }
int tkf_assignment_lost(tkf_client *client) { return library.assignment_lost(client); }
int tkf_assign(tkf_client *client, const tkf_list *list) { return library.assign(client, list); }
int tkf_incremental_assign(tkf_client *client, const tkf_list *list, char *text, size_t text_size) {
    return take(library.incremental_assign(client, list), text, text_size);
}
int tkf_incremental_unassign(tkf_client *client, const tkf_list *list, char *text, size_t text_size) {
    return take(library.incremental_unassign(client, list), text, text_size);
}
int tkf_pause(tkf_client *client, tkf_list *list) { return library.pause_partitions(client, list); }
int tkf_resume(tkf_client *client, tkf_list *list) { return library.resume_partitions(client, list); }
int tkf_seek(tkf_client *client, tkf_list *list, int milliseconds, char *text, size_t text_size) {
    return take(library.seek_partitions(client, list, milliseconds), text, text_size);
}
int tkf_committed(tkf_client *client, tkf_list *list, int milliseconds) {
    return library.committed(client, list, milliseconds);
}
int tkf_commit(tkf_client *client, const tkf_list *list, int is_async) {
    return library.commit(client, list, is_async);
}
int tkf_close_begin(tkf_client *client, tkf_queue *queue, char *text, size_t text_size) {
    return take(library.consumer_close_queue(client, queue), text, text_size);
}
int tkf_is_closed(tkf_client *client) { return library.consumer_closed(client); }

tkf_topic *tkf_topic_new(tkf_client *client, const char *name) { return library.topic_new(client, name, NULL); }
void tkf_topic_destroy(tkf_topic *topic) { library.topic_destroy(topic); }

// Tags of `rd_kafka_producev`, from rdkafka.h's `rd_kafka_vtype_t`, and flags of a message.
enum { END = 0, TOPIC = 2, VALUE = 4, KEY = 5, OPAQUE = 6, FLAGS = 7, TIME = 8, HEADERS = 10 };
enum { COPY = 2 };

int tkf_produce(
    tkf_client *client, tkf_topic *topic, const void *key, size_t key_length, const void *value, size_t value_length,
    int64_t milliseconds, const tkf_header *headers, size_t header_count, void *opaque) {
    int64_t time = milliseconds < 0 ? 0 : milliseconds;
    if (header_count == 0) {
        return library.producev(
            client, TOPIC, topic, FLAGS, (int)COPY, KEY, key, key_length, VALUE, value, value_length, TIME, time,
            OPAQUE, opaque, END);
    }
    tkf_headers *list = library.headers_new(header_count);
    if (!list) return TKF_ERR_QUEUE_FULL;
    for (size_t index = 0; index < header_count; index++) {
        const tkf_header *header = headers + index;
        library.header_add(list, header->name, header->name_length, header->value, header->value_length);
    }
    int err = library.producev(
        client, TOPIC, topic, FLAGS, (int)COPY, KEY, key, key_length, VALUE, value, value_length, TIME, time, OPAQUE,
        opaque, HEADERS, list, END);
    // Taken over only by a success.
    if (err) library.headers_destroy(list);
    return err;
}
int tkf_out_queue_length(tkf_client *client) { return library.outq_len(client); }
int tkf_flush(tkf_client *client, int milliseconds) { return library.flush(client, milliseconds); }
int tkf_purge(tkf_client *client) { return library.purge(client, 3); }

tkf_mock *tkf_mock_new(tkf_client *client, int brokers) {
    if (!library.mock_cluster_new || !library.mock_cluster_destroy || !library.mock_cluster_bootstraps ||
        !library.mock_topic_create) {
        return NULL;
    }
    tkf_mock *cluster = library.mock_cluster_new(client, brokers);
    // Newer versions wait three seconds for more members of a group otherwise; older ones cannot be told.
    if (cluster && library.mock_group_initial_rebalance_delay_ms) {
        library.mock_group_initial_rebalance_delay_ms(cluster, 100);
    }
    return cluster;
}
void tkf_mock_destroy(tkf_mock *cluster) { library.mock_cluster_destroy(cluster); }
const char *tkf_mock_addresses(const tkf_mock *cluster) { return library.mock_cluster_bootstraps(cluster); }
int tkf_mock_create_topic(tkf_mock *cluster, const char *topic, int partitions) {
    return library.mock_topic_create(cluster, topic, partitions, 1);
}
