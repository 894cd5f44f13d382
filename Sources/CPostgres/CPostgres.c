#include "CPostgres.h"

#include <dlfcn.h>
#include <stdio.h>

typedef void (*notice_receiver)(void *, const tpq_result *);

// One line per function: type of the result, libpq's name, parameters.
#define FUNCTIONS(X)                                                                                              \
    X(tpq_connection *, PQconnectdbParams, (const char *const *, const char *const *, int))                       \
    X(void, PQfinish, (tpq_connection *))                                                                         \
    X(int, PQstatus, (const tpq_connection *))                                                                    \
    X(int, PQtransactionStatus, (const tpq_connection *))                                                         \
    X(char *, PQerrorMessage, (const tpq_connection *))                                                           \
    X(const char *, PQparameterStatus, (const tpq_connection *, const char *))                                    \
    X(char *, PQhost, (const tpq_connection *))                                                                   \
    X(char *, PQport, (const tpq_connection *))                                                                   \
    X(int, PQserverVersion, (const tpq_connection *))                                                             \
    X(int, PQbackendPID, (const tpq_connection *))                                                                \
    X(int, PQsslInUse, (tpq_connection *))                                                                        \
    X(int, PQsocket, (const tpq_connection *))                                                                    \
    X(int, PQsetnonblocking, (tpq_connection *, int))                                                             \
    X(notice_receiver, PQsetNoticeReceiver, (tpq_connection *, notice_receiver, void *))                          \
    X(tpq_option *, PQconninfoParse, (const char *, char **))                                                     \
    X(void, PQconninfoFree, (tpq_option *))                                                                       \
    X(void, PQfreemem, (void *))                                                                                  \
    X(int, PQsendQuery, (tpq_connection *, const char *))                                                         \
    X(int, PQsendQueryParams,                                                                                     \
      (tpq_connection *, const char *, int, const unsigned int *, const char *const *, const int *, const int *, int)) \
    X(int, PQflush, (tpq_connection *))                                                                           \
    X(int, PQenterPipelineMode, (tpq_connection *))                                                               \
    X(int, PQexitPipelineMode, (tpq_connection *))                                                                \
    X(int, PQpipelineSync, (tpq_connection *))                                                                    \
    X(int, PQputCopyData, (tpq_connection *, const char *, int))                                                  \
    X(int, PQputCopyEnd, (tpq_connection *, const char *))                                                        \
    X(int, PQconsumeInput, (tpq_connection *))                                                                    \
    X(int, PQisBusy, (tpq_connection *))                                                                          \
    X(tpq_result *, PQgetResult, (tpq_connection *))                                                              \
    X(int, PQresultStatus, (const tpq_result *))                                                                  \
    X(char *, PQresultErrorField, (const tpq_result *, int))                                                      \
    X(char *, PQresultErrorMessage, (const tpq_result *))                                                         \
    X(int, PQntuples, (const tpq_result *))                                                                       \
    X(int, PQnfields, (const tpq_result *))                                                                       \
    X(char *, PQgetvalue, (const tpq_result *, int, int))                                                         \
    X(int, PQgetlength, (const tpq_result *, int, int))                                                           \
    X(int, PQgetisnull, (const tpq_result *, int, int))                                                           \
    X(char *, PQcmdTuples, (tpq_result *))                                                                        \
    X(void, PQclear, (tpq_result *))

#define POINTER(result, name, parameters) result(*name) parameters;
static struct {
    FUNCTIONS(POINTER)
} library;

#if defined(__APPLE__)
static const char *const names[] = {"libpq.5.dylib", "/opt/homebrew/opt/libpq/lib/libpq.5.dylib"};
#else
static const char *const names[] = {"libpq.so.5"};
#endif

static const char *missing(const char *name) {
    static char text[128];
    snprintf(text, sizeof text, "it is older than version 14: the function %s is missing", name);
    return text;
}

#define FIND(result, name, parameters)                                    \
    *(void **)&library.name = dlsym(handle, #name);                       \
    if (!library.name) {                                                  \
        dlclose(handle);                                                  \
        return missing(#name);                                            \
    }

const char *tpq_load(const char *path) {
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
    return NULL;
}

static void drop_notice(void *context, const tpq_result *notice) {
    (void)context;
    (void)notice;
}

tpq_connection *tpq_connectdb_params(const char *const *keywords, const char *const *values, int expand_dbname) {
    return library.PQconnectdbParams(keywords, values, expand_dbname);
}
void tpq_finish(tpq_connection *connection) { library.PQfinish(connection); }
int tpq_status(const tpq_connection *connection) { return library.PQstatus(connection); }
int tpq_transaction_status(const tpq_connection *connection) { return library.PQtransactionStatus(connection); }
char *tpq_error_message(const tpq_connection *connection) { return library.PQerrorMessage(connection); }
const char *tpq_parameter_status(const tpq_connection *connection, const char *name) {
    return library.PQparameterStatus(connection, name);
}
char *tpq_host(const tpq_connection *connection) { return library.PQhost(connection); }
char *tpq_port(const tpq_connection *connection) { return library.PQport(connection); }
int tpq_server_version(const tpq_connection *connection) { return library.PQserverVersion(connection); }
int tpq_backend_pid(const tpq_connection *connection) { return library.PQbackendPID(connection); }
int tpq_ssl_in_use(tpq_connection *connection) { return library.PQsslInUse(connection); }
int tpq_socket(const tpq_connection *connection) { return library.PQsocket(connection); }
int tpq_set_nonblocking(tpq_connection *connection, int is_nonblocking) {
    return library.PQsetnonblocking(connection, is_nonblocking);
}
void tpq_ignore_notices(tpq_connection *connection) {
    library.PQsetNoticeReceiver(connection, drop_notice, NULL);
}
tpq_option *tpq_conninfo_parse(const char *text, char **error) { return library.PQconninfoParse(text, error); }
void tpq_conninfo_free(tpq_option *options) { library.PQconninfoFree(options); }
void tpq_free_memory(void *memory) { library.PQfreemem(memory); }

int tpq_send_query(tpq_connection *connection, const char *sql) { return library.PQsendQuery(connection, sql); }
int tpq_send_query_params(
    tpq_connection *connection, const char *sql, int count, const unsigned int *types, const char *const *values,
    const int *lengths, const int *formats, int result_format) {
    return library.PQsendQueryParams(connection, sql, count, types, values, lengths, formats, result_format);
}
int tpq_flush(tpq_connection *connection) { return library.PQflush(connection); }
int tpq_enter_pipeline_mode(tpq_connection *connection) { return library.PQenterPipelineMode(connection); }
int tpq_exit_pipeline_mode(tpq_connection *connection) { return library.PQexitPipelineMode(connection); }
int tpq_pipeline_sync(tpq_connection *connection) { return library.PQpipelineSync(connection); }
int tpq_put_copy_data(tpq_connection *connection, const char *bytes, int count) {
    return library.PQputCopyData(connection, bytes, count);
}
int tpq_put_copy_end(tpq_connection *connection, const char *error) {
    return library.PQputCopyEnd(connection, error);
}

int tpq_consume_input(tpq_connection *connection) { return library.PQconsumeInput(connection); }
int tpq_is_busy(tpq_connection *connection) { return library.PQisBusy(connection); }
tpq_result *tpq_get_result(tpq_connection *connection) { return library.PQgetResult(connection); }
int tpq_result_status(const tpq_result *result) { return library.PQresultStatus(result); }
char *tpq_result_error_field(const tpq_result *result, int field) { return library.PQresultErrorField(result, field); }
char *tpq_result_error_message(const tpq_result *result) { return library.PQresultErrorMessage(result); }
int tpq_row_count(const tpq_result *result) { return library.PQntuples(result); }
int tpq_column_count(const tpq_result *result) { return library.PQnfields(result); }
char *tpq_value(const tpq_result *result, int row, int column) { return library.PQgetvalue(result, row, column); }
int tpq_length(const tpq_result *result, int row, int column) { return library.PQgetlength(result, row, column); }
int tpq_is_null(const tpq_result *result, int row, int column) { return library.PQgetisnull(result, row, column); }
char *tpq_changed_rows(tpq_result *result) { return library.PQcmdTuples(result); }
void tpq_clear(tpq_result *result) { library.PQclear(result); }
