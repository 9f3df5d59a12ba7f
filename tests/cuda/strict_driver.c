/* A CUDA driver of two devices that runs nothing and holds its callers to the rules.
 *
 * A stream or an event belongs to the context that was current when it was made; kernels and marks of another one are
 * refused, as the real driver refuses them, and so is what was destroyed. Streams 0, 1 and 2 are those of the context
 * that is current on the calling thread. Memory has an end. Graphs have one kernel each, and a stream cannot be captured,
 * as no thread may wait for a device meanwhile. Every call is written down: `driver_log` returns the lines.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void *Pointer;
typedef uint64_t Handle;
enum { DEVICES = 2, MOST = 1 << 16, OUT_OF_MEMORY = 2, NO_CONTEXT = 201, BAD_HANDLE = 400, NOT_HERE = 1, LAUNCH_FAILED = 719 };
enum { BAD_VALUE = 1, NO_CAPTURE = 900 };

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static char *text;
static size_t length, room;
static __thread Handle stack[16];
static __thread int depth;
static uint64_t next = 1;
static char dead[MOST];
static struct { uint64_t address, size; int is_free; } blocks[MOST];
static int count_of_blocks;
static uint64_t taken[DEVICES], limit[DEVICES] = {UINT64_C(1) << 40, UINT64_C(1) << 40}, next_address[DEVICES];
static int device_of_block(uint64_t address) { return (int)(address >> 44) - 1; }

static void note(const char *format, ...) {
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&turn);
    if (length + size + 2 > room) text = realloc(text, room = 2 * room + sizeof line);
    memcpy(text + length, line, size), text[length + size] = '\n', text[length += size + 1] = 0;
    pthread_mutex_unlock(&turn);
}
const char *driver_log(void) { return text ? text : ""; }
void driver_forget(void) { length = 0; if (text) *text = 0; }
void driver_limit(int device, uint64_t bytes) { limit[device] = bytes; }
static int refusals;
void driver_refuse(int launches) { refusals = launches; }
uint64_t driver_taken(int device) { return taken[device]; }

/* A handle says whose it is: (device + 1) << 32 | number. */
static int device_of(Handle handle) { return (int)(handle >> 32) - 1; }
static Handle current(void) { return depth ? stack[depth - 1] : 0; }
static Handle context_of(int device) { return ((Handle)(device + 1)) << 32; }
static Handle new_handle(int device) { return context_of(device) | (__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) + 16); }
static int is_dead(Handle handle) { return dead[(uint32_t)handle % MOST]; }
/* The device of a stream; negative where it cannot be used. */
static int stream_device(Handle stream) {
    if (stream <= 2) return current() ? device_of(current()) : -1;
    return is_dead(stream) ? -1 : device_of(stream);
}

int cuInit(unsigned flags) { return (void)flags, 0; }
int cuDriverGetVersion(int *version) { return *version = 13000, 0; }
int cuDeviceGetCount(int *count) { return *count = DEVICES, 0; }
int cuDeviceGet(int *device, int index) { return *device = index, 0; }
int cuDeviceGetName(char *name, int size, int device) { return snprintf(name, size, "strict %d", device), 0; }
int cuDeviceGetAttribute(int *value, int kind, int device) {
    return (void)device, *value = kind == 75 ? 9 : kind == 76 ? 0 : 1, 0;
}
int cuDevicePrimaryCtxRetain(Handle *made, int device) {
    return note("retain %d", device), *made = context_of(device), 0;
}
int cuDeviceCanAccessPeer(int *able, int device, int other) { return (void)device, (void)other, *able = 1, 0; }
int cuCtxEnablePeerAccess(Handle context, unsigned flags) {
    return (void)flags, note("peer %d to %d", device_of(current()), device_of(context)), 0;
}
int cuCtxSetCurrent(Handle context) {
    if (!depth) depth = 1;
    stack[depth - 1] = context;
    if (!context) depth--;
    return 0;
}
int cuCtxGetCurrent(Handle *context) { return *context = current(), 0; }
int cuCtxPushCurrent_v2(Handle context) { return stack[depth++] = context, 0; }
int cuCtxPopCurrent_v2(Handle *context) { return *context = current(), depth -= depth > 0, 0; }
int cuCtxSynchronize(void) { return note("synchronize %d", device_of(current())), current() ? 0 : NO_CONTEXT; }

int cuStreamCreate(Handle *made, unsigned flags) {
    (void)flags;
    if (!current()) return NO_CONTEXT;
    return *made = new_handle(device_of(current())), 0;
}
int cuStreamDestroy_v2(Handle stream) {
    note("destroy stream %lx: %d", stream, current() ? 0 : NO_CONTEXT);
    return current() ? (dead[(uint32_t)stream % MOST] = 1, 0) : NO_CONTEXT;
}
int cuStreamSynchronize(Handle stream) {
    int device = stream_device(stream);
    note("wait for stream %lx of %d", stream, device);
    return !current() ? NO_CONTEXT : device < 0 ? BAD_HANDLE : 0;
}
int cuEventCreate(Handle *made, unsigned flags) {
    (void)flags;
    if (!current()) return NO_CONTEXT;
    return *made = new_handle(device_of(current())), 0;
}
int cuEventDestroy_v2(Handle event) {
    if (!current()) return note("keep event %lx", event), NO_CONTEXT;
    return dead[(uint32_t)event % MOST] = 1, 0;
}
int cuEventRecord(Handle event, Handle stream) {
    int device = stream_device(stream);
    note("mark %lx on %lx of %d", event, stream, device);
    return !current() ? NO_CONTEXT : device < 0 || is_dead(event) || device != device_of(event) ? BAD_HANDLE : 0;
}
int cuStreamWaitEvent(Handle stream, Handle event, unsigned flags) {
    int device = stream_device(stream);
    (void)flags, note("let %lx of %d wait for %lx", stream, device, event);
    return !current() ? NO_CONTEXT : device < 0 || is_dead(event) ? BAD_HANDLE : 0;
}
int cuEventQuery(Handle event) {
    note("look at %lx", event);
    return !current() ? NO_CONTEXT : is_dead(event) ? BAD_HANDLE : 600;
}
int cuEventSynchronize(Handle event) {
    note("wait for %lx: %d", event, current() ? 0 : NO_CONTEXT);
    return !current() ? NO_CONTEXT : is_dead(event) ? BAD_HANDLE : 0;
}

int cuMemPoolCreate(Handle *made, const int *properties) {
    return *made = new_handle(properties[3]), note("pool of %d", properties[3]), 0; /* location.id */
}
int cuMemPoolSetAttribute(Handle pool, int kind, Pointer value) { return (void)pool, (void)kind, (void)value, 0; }
int cuMemPoolGetAttribute(Handle pool, int kind, uint64_t *value) {
    return (void)kind, *value = taken[device_of(pool)], 0;
}
int cuMemPoolSetAccess(Handle pool, Pointer access, size_t count) { return (void)pool, (void)access, (void)count, 0; }
int cuMemPoolTrimTo(Handle pool, size_t kept) {
    int device = device_of(pool);
    pthread_mutex_lock(&turn);
    for (int at = 0; at < count_of_blocks; at++)
        if (blocks[at].is_free && blocks[at].size && device_of_block(blocks[at].address) == device)
            taken[device] -= blocks[at].size, blocks[at].size = 0;
    pthread_mutex_unlock(&turn);
    return (void)kept, note("trim %d", device), 0;
}
int cuMemGetInfo_v2(size_t *left, size_t *total) {
    int device = device_of(current());
    return *left = limit[device] - taken[device], *total = limit[device], 0;
}
/* Freed memory serves again for what has its size: a pool of pieces that do not fit. */
int cuMemAllocFromPoolAsync(uint64_t *address, size_t size, Handle pool, Handle stream) {
    int device = device_of(pool), status = OUT_OF_MEMORY;
    if (stream_device(stream) != device) return BAD_HANDLE;
    pthread_mutex_lock(&turn);
    for (int at = 0; status && at < count_of_blocks; at++)
        if (blocks[at].is_free && blocks[at].size == size && device_of_block(blocks[at].address) == device)
            blocks[at].is_free = 0, *address = blocks[at].address, status = 0;
    if (status && taken[device] + size <= limit[device]) {
        *address = ((uint64_t)(device + 1) << 44) + next_address[device];
        next_address[device] += (size + 511) & ~(size_t)511, taken[device] += size;
        blocks[count_of_blocks].address = *address, blocks[count_of_blocks].is_free = 0;
        blocks[count_of_blocks++].size = size, status = 0;
    }
    pthread_mutex_unlock(&turn);
    note("take %zu of %d: %d", size, device, status);
    return status;
}
int cuMemFreeAsync(uint64_t address, Handle stream) {
    int device = stream_device(stream), status = NOT_HERE;
    pthread_mutex_lock(&turn);
    for (int at = 0; at < count_of_blocks; at++)
        if (blocks[at].address == address && blocks[at].size && !blocks[at].is_free) blocks[at].is_free = 1, status = 0;
    pthread_mutex_unlock(&turn);
    note("give back %lx on %d: %d", address, device, status);
    return device < 0 ? BAD_HANDLE : status;
}
int cuPointerGetAttribute(int *value, unsigned kind, uint64_t address) {
    int device = device_of_block(address);
    return (void)kind, device < 0 || device >= DEVICES ? NOT_HERE : (*value = device, 0);
}
int cuMemHostAlloc(Pointer *made, size_t size, unsigned flags) {
    (void)flags;
    if (!current()) return NO_CONTEXT;
    return *made = calloc(size, 1), note("pin %zu", size), 0;
}
int cuMemFreeHost(Pointer address) {
    note("unpin: %d", current() ? 0 : NO_CONTEXT);
    if (!current()) return NO_CONTEXT;
    return free(address), 0;
}
static int copy(const char *name, Handle stream) {
    int device = stream_device(stream);
    note("%s on %lx of %d", name, stream, device);
    return !current() ? NO_CONTEXT : device < 0 ? BAD_HANDLE : 0;
}
int cuMemcpyHtoDAsync_v2(uint64_t target, Pointer source, size_t size, Handle stream) {
    return (void)target, (void)source, (void)size, copy("copy to device", stream);
}
int cuMemcpyDtoHAsync_v2(Pointer target, uint64_t source, size_t size, Handle stream) {
    return (void)target, (void)source, (void)size, copy("copy to host", stream);
}
int cuMemcpy2D_v2(Pointer how) { return (void)how, copy("copy rows", 0); }
int cuMemcpy3DPeerAsync(Pointer how, Handle stream) { return (void)how, copy("copy from peer", stream); }
int cuMemcpyPeerAsync(uint64_t target, Handle there, uint64_t source, Handle here, size_t size, Handle stream) {
    (void)target, (void)there, (void)source, (void)here;
    note("copy %zu from peer", size);
    return copy("copy from peer", stream);
}
int cuMemsetD2D8_v2(uint64_t target, size_t pitch, unsigned char byte, size_t width, size_t height) {
    return (void)target, (void)pitch, (void)byte, (void)width, (void)height, copy("set", 0);
}
int cuModuleLoadData(Handle *made, Pointer data) {
    return (void)data, current() ? (*made = new_handle(device_of(current())), 0) : NO_CONTEXT;
}
int cuModuleGetFunction(Handle *made, Handle module, char *name) {
    return (void)name, *made = new_handle(device_of(module)), 0;
}
static int launch(Handle function, Handle stream) {
    int device = stream_device(stream), fits = current() && device == device_of(current()) && device == device_of(function);
    note("launch on %lx of %d", stream, device);
    if (refusals > 0) return refusals--, LAUNCH_FAILED;
    return fits ? 0 : BAD_HANDLE;
}
int cuLaunchKernel(Handle function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, Handle stream, Pointer parameters, Pointer extra) {
    (void)gx, (void)gy, (void)gz, (void)bx, (void)by, (void)bz, (void)shared, (void)parameters, (void)extra;
    return launch(function, stream);
}
struct config { unsigned grid[3], block[3], shared; Handle stream; Pointer attributes; unsigned count; };
int cuLaunchKernelEx(const struct config *config, Handle function, Pointer parameters, Pointer extra) {
    return (void)parameters, (void)extra, launch(function, config->stream);
}

/* A graph of one kernel, and what can be launched of it; none is freed, so that what is used after its end shows. */
struct graph { Handle function; struct graph *origin; int device, is_dead; uint64_t first; };
struct node { Handle function; unsigned grid[3], block[3], shared; Pointer parameters, *extra, kernel; Handle context; };
static char refused_step[16];
static int graph_status;
/* One step of making graphs is refused from now on; with another word, none is. */
void driver_refuse_graphs(const char *step, int status) {
    snprintf(refused_step, sizeof refused_step, "%s", step), graph_status = status;
}
static int making(const char *step) {
    note("graph: %s", step);
    return !current() ? NO_CONTEXT : strcmp(step, refused_step) ? 0 : graph_status;
}
/* Whether parameters are a kernel's of the current device, in one block; `first` becomes its first eight bytes. */
static int fits(const struct node *node, uint64_t *first) {
    if (device_of(node->function) != device_of(current()) || node->parameters || node->kernel || node->context) return 0;
    for (int axis = 0; axis < 3; axis++) if (!node->grid[axis] || !node->block[axis]) return 0;
    Pointer *extra = node->extra;
    if (!extra || extra[0] != (Pointer)1 || extra[2] != (Pointer)2 || extra[4]) return 0;
    return *(size_t *)extra[3] >= 8 && (memcpy(first, extra[1], 8), 1);
}
int cuStreamBeginCapture_v2(Handle stream, int mode) { return (void)mode, note("capture %lx", stream), NO_CAPTURE; }
int cuGraphCreate(struct graph **made, unsigned flags) {
    int status = making("create");
    return (void)flags, status ? status : (*made = calloc(1, sizeof **made), 0);
}
int cuGraphAddKernelNode_v2(struct graph **made, struct graph *graph, Pointer before, size_t count, struct node *node) {
    int status = making("add");
    if (status || before || count || graph->is_dead || !fits(node, &graph->first)) return status ? status : BAD_VALUE;
    return graph->function = node->function, graph->device = device_of(current()), *made = graph, 0;
}
int cuGraphInstantiateWithFlags(struct graph **made, struct graph *graph, uint64_t flags) {
    int status = making("instantiate");
    if (status || graph->is_dead || !graph->function) return status ? status : BAD_VALUE;
    *made = malloc(sizeof **made), **made = *graph, (*made)->origin = graph;
    return (void)flags, 0;
}
int cuGraphUpload(struct graph *made, Handle stream) {
    int status = making("upload");
    return status ? status : made->is_dead || stream_device(stream) != made->device ? BAD_HANDLE : 0;
}
int cuGraphExecKernelNodeSetParams_v2(struct graph *made, struct graph *origin, struct node *node) {
    int alive = !made->is_dead && made->origin == origin && !origin->is_dead;
    int status = !current() ? NO_CONTEXT : !alive || node->function != made->function ? BAD_HANDLE
                 : fits(node, &made->first) ? 0 : BAD_VALUE;
    return note("tell a graph: %d", status), status;
}
int cuGraphLaunch(struct graph *made, Handle stream) {
    int device = stream_device(stream);
    note("graph on %lx of %d: %lx", stream, device, made->first);
    if (refusals > 0) return refusals--, LAUNCH_FAILED;
    if (!current()) return NO_CONTEXT;
    return made->is_dead || device != made->device || device_of(current()) != device ? BAD_HANDLE : 0;
}
static int end(const char *what, struct graph *graph) {
    int status = !current() ? NO_CONTEXT : graph->is_dead ? BAD_HANDLE : 0;
    return note("destroy %s: %d", what, status), graph->is_dead |= !status, status;
}
int cuGraphExecDestroy(struct graph *made) { return end("what a graph became", made); }
int cuGraphDestroy(struct graph *graph) { return end("graph", graph); }

int cuGetProcAddress_v2(const char *name, Pointer *found, int version, uint64_t flags, Pointer status) {
    char second[128];
    (void)version, (void)flags, (void)status;
    snprintf(second, sizeof second, "%s_v2", name);
    Pointer self = dlopen("libcuda.so.1", RTLD_NOW);
    if (!(*found = dlsym(self, second))) *found = dlsym(self, name);
    return 0;
}
int cuGetProcAddress(const char *name, Pointer *found, int version, uint64_t flags) {
    return cuGetProcAddress_v2(name, found, version, flags, 0);
}
