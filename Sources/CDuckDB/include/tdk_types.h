// Types of DuckDB's stable C interface, as far as the program uses them: layouts and numbers of DuckDB 1.2 and newer.
#ifndef TDK_TYPES_H
#define TDK_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tdk_database_s *tdk_database;
typedef struct tdk_connection_s *tdk_connection;
typedef struct tdk_config_s *tdk_config;
typedef struct tdk_statement_s *tdk_statement;
typedef struct tdk_extracted_s *tdk_extracted;
typedef struct tdk_pending_s *tdk_pending;
typedef struct tdk_chunk_s *tdk_chunk;
typedef struct tdk_vector_s *tdk_vector;
typedef struct tdk_logical_type_s *tdk_logical_type;
typedef struct tdk_value_s *tdk_value;
typedef struct tdk_table_function_s *tdk_table_function;
typedef struct tdk_bind_info_s *tdk_bind_info;
typedef struct tdk_init_info_s *tdk_init_info;
typedef struct tdk_function_info_s *tdk_function_info;

// 0 is success.
typedef int tdk_state;

// Answers of tdk_pending_execute_task.
enum { TDK_PENDING_READY = 0, TDK_PENDING_NOT_READY = 1, TDK_PENDING_ERROR = 2, TDK_PENDING_NO_TASKS = 3 };

// Numbers of column types.
enum {
    TDK_INVALID = 0, TDK_BOOLEAN = 1, TDK_TINYINT = 2, TDK_SMALLINT = 3, TDK_INTEGER = 4, TDK_BIGINT = 5,
    TDK_UTINYINT = 6, TDK_USMALLINT = 7, TDK_UINTEGER = 8, TDK_UBIGINT = 9, TDK_FLOAT = 10, TDK_DOUBLE = 11,
    TDK_TIMESTAMP = 12, TDK_DATE = 13, TDK_TIME = 14, TDK_INTERVAL = 15, TDK_HUGEINT = 16, TDK_VARCHAR = 17,
    TDK_BLOB = 18, TDK_DECIMAL = 19, TDK_TIMESTAMP_S = 20, TDK_TIMESTAMP_MS = 21, TDK_TIMESTAMP_NS = 22,
    TDK_ENUM = 23, TDK_LIST = 24, TDK_STRUCT = 25, TDK_MAP = 26, TDK_UUID = 27, TDK_UNION = 28, TDK_BIT = 29,
    TDK_TIME_TZ = 30, TDK_TIMESTAMP_TZ = 31, TDK_UHUGEINT = 32, TDK_ARRAY = 33, TDK_SQLNULL = 36
};

// Numbers of errors that the program tells apart.
enum {
    TDK_ERROR_NETWORK = 25, TDK_ERROR_IO = 28, TDK_ERROR_INTERRUPT = 29, TDK_ERROR_OUT_OF_MEMORY = 33,
    TDK_ERROR_HTTP = 38
};

// Numbers of statements that the program tells apart.
enum { TDK_STATEMENT_SELECT = 1, TDK_STATEMENT_EXPLAIN = 4, TDK_STATEMENT_PRAGMA = 17 };

// Filled in by DuckDB; passed by address only.
typedef struct {
    uint64_t unused_counts[3];
    void *unused_columns;
    char *unused_message;
    void *internal;
} tdk_result;

// The 16 bytes of a VARCHAR or BLOB in a vector: up to 12 bytes lie in it, longer ones behind a pointer.
typedef struct {
    uint32_t length;
    char prefix[4];
    union {
        char rest[8];
        const char *pointer;
    } tail;
} tdk_string;

typedef struct {
    uint64_t offset;
    uint64_t length;
} tdk_list_entry;

typedef struct {
    uint64_t lower;
    int64_t upper;
} tdk_hugeint;

typedef struct {
    int32_t months;
    int32_t days;
    int64_t micros;
} tdk_interval;

typedef struct {
    int64_t micros;
} tdk_timestamp;

typedef struct {
    double percentage;
    uint64_t rows_processed;
    uint64_t total_rows_to_process;
} tdk_progress;

typedef void (*tdk_delete_callback)(void *data);
typedef void (*tdk_bind_callback)(tdk_bind_info info);
typedef void (*tdk_init_callback)(tdk_init_info info);
typedef void (*tdk_scan_callback)(tdk_function_info info, tdk_chunk output);

#endif
