/* Asks over HTTP at a fixed rate, whatever the server does, and measures each answer from when it was due: a server that stalls is not
 * spared the questions it kept waiting (no coordinated omission).
 *
 *   paced PORT CONNECTIONS REQUESTS_PER_SECOND SECONDS < paths      one path a line, asked in turn
 *
 * Prints a line of JSON: answers, p50, p99, p99.9 and max in µs. Answers must be 200 with a Content-Length.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTION_LIMIT = 256, ANSWER_LIMIT = 1 << 20 };

struct connection {
    struct pollfd *poll;
    char *answer;
    size_t answer_count;
    int64_t due; /* of the request in flight, ns; 0: free */
};

static struct pollfd polls[CONNECTION_LIMIT];
static struct connection connections[CONNECTION_LIMIT];
static char **paths;
static size_t path_count;

static void fail(const char *what) {
    fprintf(stderr, "paced: %s: %s\n", what, errno ? strerror(errno) : "wrong");
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void read_paths(void) {
    char *line = NULL;
    size_t size = 0;
    ssize_t count;
    while ((count = getline(&line, &size, stdin)) > 0) {
        line[strcspn(line, "\n")] = 0;
        paths = realloc(paths, (path_count + 1) * sizeof *paths);
        if (!paths || asprintf(&paths[path_count++], "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", line) < 0) fail("memory");
    }
    free(line);
    if (path_count == 0) fail("no paths");
}

static void open_connection(int index, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    polls[index] = (struct pollfd){.fd = descriptor, .events = POLLIN};
    connections[index] = (struct connection){.poll = &polls[index], .answer = malloc(ANSWER_LIMIT + 1)};
    if (!connections[index].answer) fail("memory");
}

static void ask(struct connection *connection, size_t number, int64_t due) {
    const char *request = paths[number % path_count];
    size_t count = strlen(request);
    /* A socket without a request in flight has room for one. */
    if (write(connection->poll->fd, request, count) != (ssize_t)count) fail("write");
    connection->due = due;
    connection->answer_count = 0;
}

/* Takes what has come; true once the answer is whole. */
static int take(struct connection *connection) {
    ssize_t count = recv(connection->poll->fd, connection->answer + connection->answer_count, ANSWER_LIMIT - connection->answer_count, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (count <= 0) fail("the server closed a connection, or its answer is too long");
    connection->answer_count += count;
    connection->answer[connection->answer_count] = 0;
    char *body = strstr(connection->answer, "\r\n\r\n");
    if (!body) return 0;
    if (strncmp(connection->answer, "HTTP/1.1 200 ", 13) != 0) fail(connection->answer);
    char *length = strcasestr(connection->answer, "\r\ncontent-length:");
    if (!length || length > body) fail("an answer without Content-Length");
    return connection->answer_count >= (size_t)(body + 4 - connection->answer) + strtoul(length + 17, NULL, 10);
}

static int compare(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

int main(int argument_count, char **arguments) {
    if (argument_count != 5) fail("usage: paced PORT CONNECTIONS REQUESTS_PER_SECOND SECONDS < paths");
    int count = atoi(arguments[2]);
    double rate = atof(arguments[3]), seconds = atof(arguments[4]);
    size_t total = (size_t)(rate * seconds), asked = 0, answered = 0;
    if (count < 1 || count > CONNECTION_LIMIT || total < 1) fail("arguments");
    read_paths();
    for (int index = 0; index < count; index++) open_connection(index, atoi(arguments[1]));
    int64_t *latencies = malloc(total * sizeof *latencies);
    if (!latencies) fail("memory");
    int64_t start = now() + 1000000;
    while (answered < total) {
        for (int index = 0; index < count && asked < total; index++) {
            int64_t due = start + (int64_t)(asked * 1e9 / rate);
            if (due > now()) break;
            if (connections[index].due == 0) ask(&connections[index], asked++, due);
        }
        int64_t wait = asked < total ? start + (int64_t)(asked * 1e9 / rate) - now() : 1000000000;
        struct timespec timeout = {.tv_sec = wait > 0 ? wait / 1000000000 : 0, .tv_nsec = wait > 0 ? wait % 1000000000 : 0};
        int64_t end_of_patience = now() + 30000000000LL;
        int is_full = 1;
        for (int index = 0; index < count; index++) is_full &= connections[index].due != 0;
        if (ppoll(polls, count, is_full ? NULL : &timeout, NULL) < 0 && errno != EINTR) fail("poll");
        if (now() > end_of_patience) fail("no answer for 30 s");
        for (int index = 0; index < count; index++) {
            if (!(polls[index].revents & (POLLIN | POLLHUP | POLLERR)) || connections[index].due == 0) continue;
            if (!take(&connections[index])) continue;
            latencies[answered++] = now() - connections[index].due;
            connections[index].due = 0;
        }
    }
    qsort(latencies, total, sizeof *latencies, compare);
    printf("{\"answers\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f}\n", total, latencies[total / 2] / 1e3,
           latencies[total * 99 / 100] / 1e3, latencies[(size_t)(total * 0.999)] / 1e3, latencies[total - 1] / 1e3);
    return 0;
}
