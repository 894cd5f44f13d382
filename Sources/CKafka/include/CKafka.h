// Kafka's client library (librdkafka 1.9 or newer), opened at run time: a machine without it starts the program all the
// same. The declarations are the project's own; names and meanings are those of librdkafka's manual
// (https://docs.confluent.io/platform/current/clients/librdkafka/html/rdkafka_8h.html) with `tkf_` for `rd_kafka_`.
#ifndef TOCSIN_CKAFKA_H
#define TOCSIN_CKAFKA_H

#include <stddef.h>
#include <stdint.h>

typedef struct tkf_client tkf_client;
typedef struct tkf_conf tkf_conf;
typedef struct tkf_topic tkf_topic;
typedef struct tkf_topic_conf tkf_topic_conf;
typedef struct tkf_queue tkf_queue;
typedef struct tkf_headers tkf_headers;
typedef struct tkf_error tkf_error;
typedef struct tkf_mock tkf_mock;

/// A message read, a failure of the consumer (`err` not 0: the payload is its text), or the fate of a message sent.
typedef struct {
    int err;
    tkf_topic *topic;
    int32_t partition;
    void *payload;
    size_t length;
    void *key;
    size_t key_length;
    int64_t offset;
    /// Of a message sent: what was given along.
    void *opaque;
} tkf_message;

typedef struct {
    char *topic;
    int32_t partition;
    int64_t offset;
    void *metadata;
    size_t metadata_size;
    void *opaque;
    int err;
    void *reserved;
} tkf_topic_partition;

typedef struct {
    int count;
    int size;
    tkf_topic_partition *elements;
} tkf_list;

typedef struct {
    int32_t id;
    char *host;
    int port;
} tkf_metadata_broker;

typedef struct {
    char *topic;
    int partition_count;
    void *partitions;
    int err;
} tkf_metadata_topic;

typedef struct {
    int broker_count;
    tkf_metadata_broker *brokers;
    int topic_count;
    tkf_metadata_topic *topics;
    int32_t origin_id;
    char *origin_name;
} tkf_metadata;

/// Header of a message to be sent; `value` may be NULL.
typedef struct {
    const char *name;
    ptrdiff_t name_length;
    const void *value;
    ptrdiff_t value_length;
} tkf_header;

static const int TKF_PRODUCER = 0;
static const int TKF_CONSUMER = 1;

static const int TKF_CONF_UNKNOWN = -2;
static const int TKF_CONF_INVALID = -1;
static const int TKF_CONF_OK = 0;

static const int64_t TKF_OFFSET_BEGINNING = -2;
static const int64_t TKF_OFFSET_END = -1;
static const int64_t TKF_OFFSET_INVALID = -1001;

static const int TKF_DESTROY_WITHOUT_CLOSE = 8;

static const int TKF_ERR_TRANSPORT = -195;
static const int TKF_ERR_RESOLVE = -193;
static const int TKF_ERR_MESSAGE_TIMED_OUT = -192;
static const int TKF_ERR_PARTITION_EOF = -191;
static const int TKF_ERR_UNKNOWN_PARTITION = -190;
static const int TKF_ERR_UNKNOWN_TOPIC = -188;
static const int TKF_ERR_ALL_BROKERS_DOWN = -187;
static const int TKF_ERR_TIMED_OUT = -185;
static const int TKF_ERR_QUEUE_FULL = -184;
static const int TKF_ERR_SSL = -181;
static const int TKF_ERR_ASSIGN_PARTITIONS = -175;
static const int TKF_ERR_REVOKE_PARTITIONS = -174;
static const int TKF_ERR_STATE = -172;
static const int TKF_ERR_AUTHENTICATION = -169;
static const int TKF_ERR_NO_OFFSET = -168;
static const int TKF_ERR_PURGE_QUEUE = -152;
static const int TKF_ERR_PURGE_IN_FLIGHT = -151;
static const int TKF_ERR_FATAL = -150;
static const int TKF_ERR_MAX_POLL_EXCEEDED = -147;
static const int TKF_ERR_FENCED = -144;
static const int TKF_ERR_AUTO_OFFSET_RESET = -140;
static const int TKF_ERR_LOG_TRUNCATION = -139;
static const int TKF_ERR_UNKNOWN_TOPIC_OR_PARTITION = 3;
static const int TKF_ERR_MESSAGE_TOO_LARGE = 10;
static const int TKF_ERR_NOT_ENOUGH_REPLICAS = 19;
static const int TKF_ERR_OFFSET_OUT_OF_RANGE = 1;
static const int TKF_ERR_ILLEGAL_GENERATION = 22;
static const int TKF_ERR_UNKNOWN_MEMBER = 25;
static const int TKF_ERR_REBALANCE_IN_PROGRESS = 27;
static const int TKF_ERR_TOPIC_AUTHORIZATION_FAILED = 29;
static const int TKF_ERR_GROUP_AUTHORIZATION_FAILED = 30;
static const int TKF_ERR_CLUSTER_AUTHORIZATION_FAILED = 31;
static const int TKF_ERR_UNSUPPORTED_SASL_MECHANISM = 33;
static const int TKF_ERR_SASL_AUTHENTICATION_FAILED = 58;
static const int TKF_ERR_FENCED_INSTANCE = 82;

/// Opens the library and finds its functions. Must succeed once before any other call; not thread-safe.
/// `path` may be NULL: the system's own is looked for. Returns NULL, or what went wrong (valid until the next call).
const char *tkf_load(const char *path);
const char *tkf_version(void);
const char *tkf_error_text(int err);
/// "_ALL_BROKERS_DOWN", as the manual names it.
const char *tkf_error_name(int err);

// Configuration: owned by the caller until `tkf_new` succeeds with it.
tkf_conf *tkf_conf_new(void);
void tkf_conf_destroy(tkf_conf *conf);
int tkf_conf_set(tkf_conf *conf, const char *name, const char *value, char *text, size_t text_size);
void tkf_conf_set_opaque(tkf_conf *conf, void *opaque);
void tkf_conf_set_delivery(tkf_conf *conf, void (*call)(tkf_client *, const tkf_message *, void *));
void tkf_conf_set_rebalance(tkf_conf *conf, void (*call)(tkf_client *, int, tkf_list *, void *));
void tkf_conf_set_commit(tkf_conf *conf, void (*call)(tkf_client *, int, tkf_list *, void *));
void tkf_conf_set_error(tkf_conf *conf, void (*call)(tkf_client *, int, const char *, void *));
void tkf_conf_set_log(tkf_conf *conf, void (*call)(const tkf_client *, int, const char *, const char *));

// Clients: their functions may be called by any thread.
tkf_client *tkf_new(int kind, tkf_conf *conf, char *text, size_t text_size);
void tkf_destroy(tkf_client *client, int flags);
void *tkf_opaque(const tkf_client *client);
int tkf_poll(tkf_client *client, int milliseconds);
int tkf_fatal_error(tkf_client *client, char *text, size_t text_size);
int tkf_get_metadata(tkf_client *client, int all_topics, tkf_topic *only, const tkf_metadata **metadata, int milliseconds);
void tkf_metadata_destroy(const tkf_metadata *metadata);
int tkf_query_watermarks(
    tkf_client *client, const char *topic, int32_t partition, int64_t *low, int64_t *high, int milliseconds);
int tkf_get_watermarks(tkf_client *client, const char *topic, int32_t partition, int64_t *low, int64_t *high);
/// Replaces TKF_OFFSET_BEGINNING or TKF_OFFSET_END in the list by the offsets that they stand for; one request per broker.
int tkf_offsets_for_times(tkf_client *client, tkf_list *list, int milliseconds);

// Lists of partitions.
tkf_list *tkf_list_new(int size);
void tkf_list_destroy(tkf_list *list);
tkf_topic_partition *tkf_list_add(tkf_list *list, const char *topic, int32_t partition);
/// Replaces the text that goes along with a commit. Returns 0, or 1 where there is no memory.
int tkf_set_metadata(tkf_topic_partition *element, const char *text, size_t length);

// Consuming. Calls return 0 or the number of an error.
int tkf_poll_set_consumer(tkf_client *client);
tkf_queue *tkf_queue_of_consumer(tkf_client *client);
void tkf_queue_destroy(tkf_queue *queue);
void tkf_queue_yield(tkf_queue *queue);
int tkf_subscribe(tkf_client *client, const tkf_list *topics);
tkf_message *tkf_consume(tkf_queue *queue, int milliseconds);
ptrdiff_t tkf_consume_batch(tkf_queue *queue, int milliseconds, tkf_message **messages, size_t size);
void tkf_messages_destroy(tkf_message **messages, size_t count);
const char *tkf_topic_name(const tkf_topic *topic);
/// Milliseconds since 1970; -1 where the message has no time.
int64_t tkf_message_time(const tkf_message *message);
const char *tkf_rebalance_protocol(tkf_client *client);
int tkf_assignment_lost(tkf_client *client);
/// NULL gives everything up.
int tkf_assign(tkf_client *client, const tkf_list *list);
int tkf_incremental_assign(tkf_client *client, const tkf_list *list, char *text, size_t text_size);
int tkf_incremental_unassign(tkf_client *client, const tkf_list *list, char *text, size_t text_size);
int tkf_pause(tkf_client *client, tkf_list *list);
int tkf_resume(tkf_client *client, tkf_list *list);
int tkf_seek(tkf_client *client, tkf_list *list, int milliseconds, char *text, size_t text_size);
int tkf_committed(tkf_client *client, tkf_list *list, int milliseconds);
int tkf_commit(tkf_client *client, const tkf_list *list, int is_async);
int tkf_close_begin(tkf_client *client, tkf_queue *queue, char *text, size_t text_size);
int tkf_is_closed(tkf_client *client);

// Producing.
tkf_topic *tkf_topic_new(tkf_client *client, const char *name);
void tkf_topic_destroy(tkf_topic *topic);
/// Copies key, value and headers; a key or value of NULL is none. `milliseconds` below 0: the time is now.
int tkf_produce(
    tkf_client *client, tkf_topic *topic, const void *key, size_t key_length, const void *value, size_t value_length,
    int64_t milliseconds, const tkf_header *headers, size_t header_count, void *opaque);
int tkf_out_queue_length(tkf_client *client);
int tkf_flush(tkf_client *client, int milliseconds);
/// Drops what has not been sent yet, and what waits for an answer.
int tkf_purge(tkf_client *client);

// The cluster inside of the library, for tests and measurements: real TCP, groups and commits, no disk.
/// NULL where the library has none, or it cannot start. `client` owns it and must outlive it.
tkf_mock *tkf_mock_new(tkf_client *client, int brokers);
void tkf_mock_destroy(tkf_mock *cluster);
/// "127.0.0.1:40001,…"
const char *tkf_mock_addresses(const tkf_mock *cluster);
int tkf_mock_create_topic(tkf_mock *cluster, const char *topic, int partitions);

#endif
