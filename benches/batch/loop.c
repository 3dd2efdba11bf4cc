/* The least that starting jobs costs: two threads, each of which takes the next
 * line of standard input, vforks, executes PROGRAM LINE with output to a pipe,
 * reads the pipe to its end and reaps by wait4. Usage: loop PROGRAM <LINES */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char *program;
static pthread_mutex_t input = PTHREAD_MUTEX_INITIALIZER;
static int failed;

static int next_line(char *line, size_t size) {
    pthread_mutex_lock(&input);
    char *got = fgets(line, (int)size, stdin);
    pthread_mutex_unlock(&input);
    if (got) line[strcspn(line, "\n")] = 0;
    return got != NULL;
}

static void *work(void *unused) {
    char line[4096], block[65536];
    while (next_line(line, sizeof line)) {
        int ends[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (pipe2(ends, O_CLOEXEC)) abort();
        char *argv[] = {program, line, NULL};
        pid_t child = vfork();
        if (child == 0) {
            dup2(null, 0);
            dup2(ends[1], 1);
            execve(program, argv, environ);
            _exit(127);
        }
        close(ends[1]);
        close(null);
        while (read(ends[0], block, sizeof block) > 0) {}
        close(ends[0]);
        int status;
        struct rusage usage;
        if (wait4(child, &status, 0, &usage) != child || status) failed = 1;
    }
    return unused;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    program = argv[1];
    pthread_t other;
    pthread_create(&other, NULL, work, NULL);
    work(NULL);
    pthread_join(other, NULL);
    return failed;
}
