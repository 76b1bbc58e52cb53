/*
 * floor: the least that an open-loop generator can cost on this machine.
 *
 * One thread waits with clock_nanosleep for the absolute instant at which the
 * next operation is due, writes one request to one connection and reads the
 * answer. No queue, no histogram, no second connection: nothing could be left
 * out of it and still be exact.
 *
 *   floor RATE SECONDS PORT redis KEY    GET KEY
 *   floor RATE SECONDS PORT http  PATH   GET PATH
 *   floor RATE SECONDS 0    none         only the waiting
 * The server's password is taken from REDIS_PASSWORD.
 *   ... CLUMP_US                         waits only at multiples of so many
 *                                        microseconds, for all that is due by
 *                                        then, as tools with a millisecond
 *                                        event loop do
 *
 * Prints: operations, CPU microseconds an operation, lateness p50 and p99 in
 * microseconds. It ends after SECONDS by itself.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* whole says whether an answer has arrived completely. */
static int whole(int http, const char *b, ssize_t n) {
	if (http) {
		const char *body = memmem(b, (size_t)n, "\r\n\r\n", 4), *len = memmem(b, (size_t)n, "Content-Length: ", 16);
		return body && len && b + n >= body + 4 + atoi(len + 16);
	}
	if (b[0] != '$' || b[1] == '-') return n >= 5 && b[n - 1] == '\n';
	const char *line = memchr(b, '\n', (size_t)n);
	return line && b + n >= line + 1 + atoi(b + 1) + 2;
}

int main(int argc, char **argv) {
	if (argc < 5) return 2;
	double rate = atof(argv[1]), seconds = atof(argv[2]);
	int none = !strcmp(argv[4], "none"), http = !strcmp(argv[4], "http");
	int64_t clump = argc > 6 ? atoll(argv[6]) * 1000 : 0, n = (int64_t)(rate * seconds);
	int64_t *late = calloc((size_t)n, sizeof *late);
	static char request[1024], answer[1 << 20];
	int fd = -1, one = 1;
	size_t len = 0;
	if (!late) return 1;
	if (!none) {
		len = (size_t)(http ? snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", argv[5])
				    : snprintf(request, sizeof request, "*2\r\n$3\r\nGET\r\n$%zu\r\n%s\r\n", strlen(argv[5]), argv[5]));
		struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3])),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		fd = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		if (connect(fd, (void *)&a, sizeof a)) {
			perror("floor: connect");
			return 1;
		}
	}
	const char *password = getenv("REDIS_PASSWORD");
	if (!none && !http && password && *password) {
		int n = snprintf(answer, sizeof answer, "*2\r\n$4\r\nAUTH\r\n$%zu\r\n%s\r\n", strlen(password), password);
		if (write(fd, answer, (size_t)n) != n || read(fd, answer, sizeof answer) != 5) {
			fprintf(stderr, "floor: AUTH refused\n");
			return 1;
		}
	}
	prctl(PR_SET_TIMERSLACK, 1);
	int64_t start = now() + 50000000;
	for (int64_t i = 0; i < n; i++) {
		int64_t due = start + (int64_t)((double)i * 1e9 / rate), until = due;
		if (clump) until = start + (due - start + clump - 1) / clump * clump;
		if (now() < until) {
			struct timespec t = {until / 1000000000, until % 1000000000};
			while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL)) {
			}
		}
		late[i] = now() - due;
		if (none) continue;
		if (write(fd, request, len) != (ssize_t)len) return 1;
		ssize_t got = 0;
		do {
			ssize_t r = read(fd, answer + got, sizeof answer - (size_t)got);
			if (r <= 0) return 1;
			got += r;
		} while (!whole(http, answer, got));
	}
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	double cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
	qsort(late, (size_t)n, sizeof *late, by_size);
	printf("%lld %.2f %.1f %.1f\n", (long long)n, cpu / (double)n, (double)late[n / 2] / 1e3, (double)late[n * 99 / 100] / 1e3);
	return 0;
}
