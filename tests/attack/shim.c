/* What may happen at a call that changes the disk: the process is killed there, or the call fails.
 *
 * Preloaded into the real command line. Counts the calls under one directory, each kind by itself, and at the N-th of
 * one kind does what was asked; the counts lie in a mapped file, so that they outlive the kill. Nothing is armed until
 * `attack_arm` is called (in the child that is to be attacked). No power cut is played, so nobody waits for the disk:
 * a sync counts and can fail, but is not carried out.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { RENAME, FSYNC, MKDIR, LINK, WRITE, CREATE, UNLINK, TRUNCATE, KINDS };
enum how { NOTHING, KILL_BEFORE, KILL_AFTER, KILL_HALFWAY, FAIL_ONCE, FAIL_ON };
enum scope { OURS, DAGSTER, WHOLE };

/* What the driver reads, and what was done: `struct` format "=8qq512s" (see shim.py). */
struct told {
    long long calls[KINDS];
    long long struck; /* how often */
    char where[512];  /* the path of the first */
};

static struct told *told;
static char root[PATH_MAX];
static size_t root_length;
static int kind_armed = -1, how_armed, error_armed, scope_armed;
static long long number_armed;

/* Called through ctypes after the fork. `kind` -1 counts only. */
int attack_arm(const char *directory, const char *counts, int scope, int kind, long long number, int how, int error) {
    int file = open(counts, O_RDWR | O_CREAT, 0644);
    if (file < 0 || ftruncate(file, sizeof(struct told))) return -1;
    void *mapped = mmap(NULL, sizeof(struct told), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped == MAP_FAILED) return -1;
    root_length = strlen(directory);
    memcpy(root, directory, root_length + 1);
    kind_armed = kind, number_armed = number, how_armed = how, error_armed = error, scope_armed = scope;
    told = mapped;
    return 0;
}

static int within(const char *path) {
    if (strncmp(path, root, root_length) || (path[root_length] && path[root_length] != '/')) return 0;
    if (scope_armed == WHOLE) return 1;
    const char *rest = path + root_length;
    int dagster = !strncmp(rest, "/dagster", 8) && (!rest[8] || rest[8] == '/');
    return dagster == (scope_armed == DAGSTER);
}

/* The path of a file by its descriptor and name, as far as the kernel tells; 0 where there is none. */
static int name_of(int directory, const char *path, char *out) {
    if (path && path[0] == '/') return snprintf(out, PATH_MAX, "%s", path) < PATH_MAX;
    char link[64];
    if (directory == AT_FDCWD) strcpy(link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    ssize_t length = readlink(link, out, PATH_MAX - 1);
    if (length < 0) return 0;
    out[length] = 0;
    return !path || snprintf(out + length, PATH_MAX - length, "/%s", path) < (int)(PATH_MAX - length);
}

/* A full disk still lets go of what is there; one that is read-only or broken does nothing any more. */
static int keeps_failing(enum kind kind) {
    return how_armed == FAIL_ON && (error_armed != ENOSPC || (kind != UNLINK && kind != FSYNC && kind != RENAME));
}

static int exists(const char *path) { return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0; }

/* To make what is there, or in a folder that is not, or to remove what is not there, changes nothing. */
static int changes_nothing(enum kind kind, const char *path) {
    if (kind == UNLINK) return !exists(path);
    if (kind != MKDIR && kind != CREATE) return 0;
    char parent[PATH_MAX];
    strcpy(parent, path);
    *strrchr(parent, '/') = 0;
    return exists(path) || !exists(parent);
}

static void die(void) { kill(getpid(), SIGKILL); }

/* What is to happen at this call; counts it. */
static enum how strike(enum kind kind, int directory, const char *path) {
    char full[PATH_MAX];
    if (!told || !name_of(directory, path, full) || !within(full) || changes_nothing(kind, full)) return NOTHING;
    long long number = __atomic_add_fetch(&told->calls[kind], 1, __ATOMIC_SEQ_CST);
    int now = kind == (enum kind)kind_armed && number == number_armed;
    if (!now && !(told->struck && keeps_failing(kind))) return NOTHING;
    if (!told->struck++) snprintf(told->where, sizeof told->where, "%s", full + root_length);
    if (how_armed == KILL_BEFORE) die();
    return how_armed;
}

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

/* A call that either happens whole or not at all. */
#define AROUND(kind, directory, path, call)                                 \
    enum how how = strike(kind, directory, path);                           \
    if (how == FAIL_ONCE || how == FAIL_ON) return errno = error_armed, -1; \
    __typeof__(call) result = call;                                         \
    if (how == KILL_AFTER || how == KILL_HALFWAY) die();                    \
    return result

int rename(const char *old, const char *new) { AROUND(RENAME, AT_FDCWD, new, REAL(rename)(old, new)); }
int renameat(int a, const char *old, int b, const char *new) {
    AROUND(RENAME, b, new, REAL(renameat)(a, old, b, new));
}
int renameat2(int a, const char *old, int b, const char *new, unsigned flags) {
    AROUND(RENAME, b, new, REAL(renameat2)(a, old, b, new, flags));
}
int mkdir(const char *path, mode_t mode) { AROUND(MKDIR, AT_FDCWD, path, REAL(mkdir)(path, mode)); }
int mkdirat(int at, const char *path, mode_t mode) { AROUND(MKDIR, at, path, REAL(mkdirat)(at, path, mode)); }
int link(const char *old, const char *new) { AROUND(LINK, AT_FDCWD, new, REAL(link)(old, new)); }
int linkat(int a, const char *old, int b, const char *new, int flags) {
    AROUND(LINK, b, new, REAL(linkat)(a, old, b, new, flags));
}
int symlink(const char *old, const char *new) { AROUND(LINK, AT_FDCWD, new, REAL(symlink)(old, new)); }
int unlink(const char *path) { AROUND(UNLINK, AT_FDCWD, path, REAL(unlink)(path)); }
int unlinkat(int at, const char *path, int flags) { AROUND(UNLINK, at, path, REAL(unlinkat)(at, path, flags)); }
int rmdir(const char *path) { AROUND(UNLINK, AT_FDCWD, path, REAL(rmdir)(path)); }
int ftruncate(int file, off_t size) { AROUND(TRUNCATE, file, NULL, REAL(ftruncate)(file, size)); }
int ftruncate64(int file, off64_t size) { AROUND(TRUNCATE, file, NULL, REAL(ftruncate64)(file, size)); }
int fsync(int file) { AROUND(FSYNC, file, NULL, told ? 0 : REAL(fsync)(file)); }
int fdatasync(int file) { AROUND(FSYNC, file, NULL, told ? 0 : REAL(fdatasync)(file)); }

/* A write may also stop halfway: a kill in the middle, or, on a disk that fills up, what still had room. */
#define WRITING(file, size, whole, half)                                       \
    enum how how = strike(WRITE, file, NULL);                                  \
    if (how == FAIL_ON && error_armed == ENOSPC && told->struck == 1 && (size) > 1) return half; \
    if (how == FAIL_ONCE || how == FAIL_ON) return errno = error_armed, -1;    \
    ssize_t result = how == KILL_HALFWAY ? half : whole;                       \
    if (how == KILL_AFTER || how == KILL_HALFWAY) die();                       \
    return result

ssize_t write(int file, const void *from, size_t size) {
    WRITING(file, size, REAL(write)(file, from, size), REAL(write)(file, from, size / 2));
}
ssize_t pwrite(int file, const void *from, size_t size, off_t at) {
    WRITING(file, size, REAL(pwrite)(file, from, size, at), REAL(pwrite)(file, from, size / 2, at));
}
ssize_t pwrite64(int file, const void *from, size_t size, off64_t at) {
    WRITING(file, size, REAL(pwrite64)(file, from, size, at), REAL(pwrite64)(file, from, size / 2, at));
}
ssize_t writev(int file, const struct iovec *from, int count) {
    WRITING(file, count, REAL(writev)(file, from, count), REAL(writev)(file, from, count / 2));
}
ssize_t sendfile(int to, int from, off_t *at, size_t size);
ssize_t sendfile(int to, int from, off_t *at, size_t size) {
    WRITING(to, size, REAL(sendfile)(to, from, at, size), REAL(sendfile)(to, from, at, size / 2));
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t size);
ssize_t sendfile64(int to, int from, off64_t *at, size_t size) {
    WRITING(to, size, REAL(sendfile64)(to, from, at, size), REAL(sendfile64)(to, from, at, size / 2));
}
ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t size, unsigned flags) {
    WRITING(to, size, REAL(copy_file_range)(from, a, to, b, size, flags),
            REAL(copy_file_range)(from, a, to, b, size / 2, flags));
}

/* Only an opening that may make a file counts. */
#define OPENING(name, at, path, flags, ...)                                           \
    mode_t mode = 0;                                                                  \
    if (((flags) & O_CREAT) || ((flags) & O_TMPFILE) == O_TMPFILE) {                  \
        va_list more;                                                                 \
        va_start(more, flags);                                                        \
        mode = va_arg(more, mode_t);                                                  \
        va_end(more);                                                                 \
    }                                                                                 \
    if (!((flags) & O_CREAT)) return REAL(name)(__VA_ARGS__, mode);                   \
    AROUND(CREATE, at, path, REAL(name)(__VA_ARGS__, mode))

int open(const char *path, int flags, ...) { OPENING(open, AT_FDCWD, path, flags, path, flags); }
int open64(const char *path, int flags, ...) { OPENING(open64, AT_FDCWD, path, flags, path, flags); }
int openat(int at, const char *path, int flags, ...) { OPENING(openat, at, path, flags, at, path, flags); }
int openat64(int at, const char *path, int flags, ...) { OPENING(openat64, at, path, flags, at, path, flags); }
