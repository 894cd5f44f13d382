// PostgreSQL's client library (libpq 14 or newer), opened at run time: a machine without it starts the program all the
// same. The declarations are the project's own; names and meanings are those of libpq's manual
// (https://www.postgresql.org/docs/current/libpq.html) with `tpq_` for `PQ`.
#ifndef TOCSIN_CPOSTGRES_H
#define TOCSIN_CPOSTGRES_H

#include <stddef.h>

typedef struct tpq_connection tpq_connection;
typedef struct tpq_result tpq_result;

typedef struct {
    char *keyword;
    char *environment_variable;
    char *compiled_default;
    /// NULL where the text did not give it.
    char *value;
    char *label;
    char *display_character;
    int display_size;
} tpq_option;

enum { TPQ_CONNECTION_OK = 0 };

enum {
    TPQ_EMPTY_QUERY = 0,
    TPQ_COMMAND_OK = 1,
    TPQ_TUPLES_OK = 2,
    TPQ_COPY_IN = 4,
    TPQ_PIPELINE_SYNC = 10,
    TPQ_PIPELINE_ABORTED = 11,
};

enum { TPQ_TRANSACTION_IDLE = 0 };

enum {
    TPQ_FIELD_SQLSTATE = 'C',
    TPQ_FIELD_MESSAGE = 'M',
    TPQ_FIELD_DETAIL = 'D',
    TPQ_FIELD_TABLE = 't',
};

/// Opens the library and finds its functions. Must succeed once before any other call; not thread-safe.
/// `path` may be NULL: the system's own is looked for. Returns NULL, or what went wrong (valid until the next call).
const char *tpq_load(const char *path);

// Connections. A connection is used by one thread at a time.
tpq_connection *tpq_connectdb_params(const char *const *keywords, const char *const *values, int expand_dbname);
void tpq_finish(tpq_connection *connection);
int tpq_status(const tpq_connection *connection);
int tpq_transaction_status(const tpq_connection *connection);
char *tpq_error_message(const tpq_connection *connection);
const char *tpq_parameter_status(const tpq_connection *connection, const char *name);
char *tpq_host(const tpq_connection *connection);
char *tpq_port(const tpq_connection *connection);
int tpq_server_version(const tpq_connection *connection);
int tpq_backend_pid(const tpq_connection *connection);
int tpq_ssl_in_use(tpq_connection *connection);
int tpq_socket(const tpq_connection *connection);
int tpq_set_nonblocking(tpq_connection *connection, int is_nonblocking);
/// The server's remarks are dropped: libpq would print them.
void tpq_ignore_notices(tpq_connection *connection);
tpq_option *tpq_conninfo_parse(const char *text, char **error);
void tpq_conninfo_free(tpq_option *options);
void tpq_free_memory(void *memory);

// Sending.
int tpq_send_query(tpq_connection *connection, const char *sql);
int tpq_send_query_params(
    tpq_connection *connection, const char *sql, int count, const unsigned int *types, const char *const *values,
    const int *lengths, const int *formats, int result_format);
int tpq_flush(tpq_connection *connection);
int tpq_enter_pipeline_mode(tpq_connection *connection);
int tpq_exit_pipeline_mode(tpq_connection *connection);
int tpq_pipeline_sync(tpq_connection *connection);
int tpq_put_copy_data(tpq_connection *connection, const char *bytes, int count);
int tpq_put_copy_end(tpq_connection *connection, const char *error);

// Receiving.
int tpq_consume_input(tpq_connection *connection);
int tpq_is_busy(tpq_connection *connection);
tpq_result *tpq_get_result(tpq_connection *connection);
int tpq_result_status(const tpq_result *result);
char *tpq_result_error_field(const tpq_result *result, int field);
char *tpq_result_error_message(const tpq_result *result);
int tpq_row_count(const tpq_result *result);
int tpq_column_count(const tpq_result *result);
char *tpq_value(const tpq_result *result, int row, int column);
int tpq_length(const tpq_result *result, int row, int column);
int tpq_is_null(const tpq_result *result, int row, int column);
char *tpq_changed_rows(tpq_result *result);
void tpq_clear(tpq_result *result);

#endif
