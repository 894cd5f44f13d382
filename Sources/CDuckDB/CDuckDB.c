#define _GNU_SOURCE
#include "CDuckDB.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct {
#define TDK_CALL(result, name, parameters, arguments) result(*name) parameters;
#include "tdk_functions.h"
#undef TDK_CALL
    // Not in every version: without it DuckDB checks once more what was checked here.
    void (*assign_unchecked)(tdk_vector, uint64_t, const char *, uint64_t);
} table;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_loaded;

#define TDK_CALL(result, name, parameters, arguments) \
    result tdk_##name parameters { return table.name arguments; }
#include "tdk_functions.h"
#undef TDK_CALL

static bool find(void *library, const char *name, void **function, char *message, size_t capacity) {
    *function = dlsym(library, name);
    if (*function) return true;
    snprintf(message, capacity, "it has no function %s; DuckDB 1.2 or newer is needed", name);
    return false;
}

static bool find_all(void *library, char *message, size_t capacity) {
#define TDK_CALL(result, name, parameters, arguments) \
    if (!find(library, "duckdb_" #name, (void **)&table.name, message, capacity)) return false;
#include "tdk_functions.h"
#undef TDK_CALL
    *(void **)&table.assign_unchecked = dlsym(library, "duckdb_unsafe_vector_assign_string_element_len");
    if (!table.assign_unchecked) table.assign_unchecked = table.vector_assign_string_element_len;
    return true;
}

bool tdk_load(const char *path, const char *python, char *message, size_t capacity) {
    if (capacity > 0) message[0] = 0;
    pthread_mutex_lock(&lock);
    if (!is_loaded) {
        void *interpreter = python ? dlopen(python, RTLD_NOW | RTLD_GLOBAL) : NULL;
        void *library = NULL;
        if (python && !interpreter) {
            snprintf(message, capacity, "%s", dlerror());
        } else if (!(library = dlopen(path, RTLD_LAZY | RTLD_LOCAL))) {
            snprintf(message, capacity, "%s", dlerror());
        } else {
            is_loaded = find_all(library, message, capacity);
            if (!is_loaded) dlclose(library);
        }
    }
    bool result = is_loaded;
    pthread_mutex_unlock(&lock);
    return result;
}

void tdk_assign_unchecked(tdk_vector vector, uint64_t row, const char *bytes, uint64_t length) {
    table.assign_unchecked(vector, row, bytes, length);
}
