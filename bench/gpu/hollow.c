/* A CUDA driver that does nothing and says that all went well: what is left is the time of the caller.
 *
 * Made and used by `python bench/labelled.py --gpu`. One device of compute capability 9.0; handles and addresses are
 * numbers that rise.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void *Pointer;
static uint64_t handles = 1 << 16, memory = UINT64_C(0x7f0000000000);
static char copied[1 << 20];

static Pointer new_handle(void) { return (Pointer)__atomic_add_fetch(&handles, 64, __ATOMIC_RELAXED); }

int nothing(void) { return 0; }
int cuInit(unsigned flags) { return (void)flags, 0; }
int cuDriverGetVersion(int *version) { return *version = 13000, 0; }
int cuDeviceGetCount(int *count) { return *count = 1, 0; }
int cuDeviceGet(int *device, int index) { return *device = index, 0; }
int cuDeviceGetName(char *name, int size, int device) { return (void)device, snprintf(name, size, "hollow"), 0; }
int cuDeviceGetAttribute(int *value, int kind, int device) {
    return (void)device, *value = kind == 75 ? 9 : kind == 76 ? 0 : 1, 0;
}
int cuDevicePrimaryCtxRetain(Pointer *made, int device) { return (void)device, *made = new_handle(), 0; }
int cuMemPoolCreate(Pointer *made, Pointer properties) { return (void)properties, *made = new_handle(), 0; }
int cuStreamCreate(Pointer *made, unsigned flags) { return (void)flags, *made = new_handle(), 0; }
int cuEventCreate(Pointer *made, unsigned flags) { return (void)flags, *made = new_handle(), 0; }
int cuModuleLoadData(Pointer *made, Pointer data) { return (void)data, *made = new_handle(), 0; }
int cuModuleGetFunction(Pointer *made, Pointer module, char *name) {
    return (void)module, (void)name, *made = new_handle(), 0;
}
int cuPointerGetAttribute(int *value, unsigned kind, uint64_t address) {
    return (void)kind, (void)address, *value = 0, 0;
}
int cuMemAllocFromPoolAsync(uint64_t *address, size_t size, Pointer pool, Pointer stream) {
    (void)pool, (void)stream;
    return *address = __atomic_fetch_add(&memory, (size + 511) & ~(size_t)511, __ATOMIC_RELAXED), 0;
}
int cuMemHostAlloc(Pointer *made, size_t size, unsigned flags) { return (void)flags, *made = malloc(size), 0; }
static __thread Pointer current;
int cuCtxGetCurrent(Pointer *context) { return *context = current, 0; }
int cuCtxPopCurrent_v2(Pointer *context) { return *context = 0, 0; }
int cuMemcpyHtoDAsync_v2(uint64_t target, const void *source, size_t size, Pointer stream) {
    (void)target, (void)stream;
    return memcpy(copied, source, size < sizeof copied ? size : sizeof copied), 0;
}
int cuGraphCreate(Pointer *made, unsigned flags) { return (void)flags, *made = new_handle(), 0; }
int cuGraphAddKernelNode_v2(Pointer *node, Pointer graph, Pointer before, size_t count, Pointer parameters) {
    (void)graph, (void)before, (void)count, (void)parameters;
    return *node = new_handle(), 0;
}
int cuGraphInstantiateWithFlags(Pointer *made, Pointer graph, uint64_t flags) {
    return (void)graph, (void)flags, *made = new_handle(), 0;
}
int cuGraphExecKernelNodeSetParams_v2(Pointer made, Pointer node, Pointer parameters) {
    return (void)made, (void)node, (void)parameters, 0;
}
int cuGraphLaunch(Pointer made, Pointer stream) { return (void)made, (void)stream, 0; }
int cuLaunchKernel(void) { return 0; }
int cuLaunchKernelEx(void) { return 0; }
int cuCtxSetCurrent(Pointer context) { return current = context, 0; }
int cuCtxPushCurrent_v2(Pointer context) { return (void)context, 0; }
int cuEventRecord(Pointer event, Pointer stream) { return (void)event, (void)stream, 0; }
int cuEventQuery(Pointer event) { return (void)event, 0; }
int cuStreamWaitEvent(Pointer stream, Pointer event, unsigned flags) {
    return (void)stream, (void)event, (void)flags, 0;
}
int cuMemFreeAsync(uint64_t address, Pointer stream) { return (void)address, (void)stream, 0; }

int cuGetProcAddress_v2(const char *name, Pointer *found, int version, uint64_t flags, Pointer status) {
    char second[128];
    (void)version, (void)flags, (void)status;
    snprintf(second, sizeof second, "%s_v2", name);
    if (!(*found = dlsym(dlopen("libcuda.so.1", RTLD_NOW), second)))
        *found = dlsym(dlopen("libcuda.so.1", RTLD_NOW), name);
    if (!*found)
        *found = (Pointer)nothing;
    return 0;
}
int cuGetProcAddress(const char *name, Pointer *found, int version, uint64_t flags) {
    return cuGetProcAddress_v2(name, found, version, flags, 0);
}
