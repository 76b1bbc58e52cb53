/*
 * witness: an HTTP server that notes when each request arrives.
 *
 * One thread, epoll, keep-alive, a fixed answer: nothing in it takes longer for
 * one client than for another. The instant of a request is the monotonic clock
 * right after the read that brought its last byte.
 *
 *   witness PORT              serves on 127.0.0.1:PORT (0: any), prints the port
 *   GET /times                the instants since the last /reset, 8-byte
 *                             little-endian nanoseconds, oldest first
 *   GET /reset                forgets them
 *   GET /stall/MILLISECONDS   answers, then serves nobody for so long
 *   GET anything else         notes the instant and answers "ok"
 *
 * It ends when its standard input does.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_TIMES = 1 << 25, MAX_FD = 65536, BUF = 8192 };

static uint64_t *times;
static size_t n_times;
static struct { char *data; int len; } conns[MAX_FD];

static uint64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void write_all(int fd, const void *data, size_t len) {
	const char *p = data;
	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			usleep(100); /* only a long /times gets here */
		} else {
			return;
		}
	}
}

static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

/* answer handles one request whose first line starts at line. */
static void answer(int fd, const char *line, uint64_t at) {
	if (!strncmp(line, "GET /times ", 11)) {
		char head[128];
		int n = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n_times * sizeof *times);
		write_all(fd, head, (size_t)n);
		write_all(fd, times, n_times * sizeof *times);
		return;
	}
	if (!strncmp(line, "GET /stall/", 11)) {
		write_all(fd, OK, sizeof OK - 1);
		usleep((useconds_t)atoi(line + 11) * 1000);
		return;
	}
	if (!strncmp(line, "GET /reset ", 11)) n_times = 0;
	else if (n_times < MAX_TIMES) times[n_times++] = at;
	write_all(fd, OK, sizeof OK - 1);
}

static void end(int fd) {
	close(fd);
	conns[fd].len = 0;
}

/* serve reads what a connection holds and answers each whole request in it. */
static void serve(int fd) {
	if (!conns[fd].data) conns[fd].data = malloc(BUF + 1);
	char *data = conns[fd].data;
	ssize_t n = recv(fd, data + conns[fd].len, (size_t)(BUF - conns[fd].len), 0);
	uint64_t at = now();
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN) end(fd);
		return;
	}
	int len = conns[fd].len + (int)n, done = 0;
	data[len] = 0;
	for (char *stop; (stop = strstr(data + done, "\r\n\r\n")); done = (int)(stop + 4 - data))
		answer(fd, data + done, at);
	memmove(data, data + done, (size_t)(len - done));
	conns[fd].len = len - done;
	if (conns[fd].len == BUF) end(fd);
}

int main(int argc, char **argv) {
	prctl(PR_SET_TIMERSLACK, 1);
	times = malloc(MAX_TIMES * sizeof *times); /* touched as it fills */
	int l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0)),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t alen = sizeof a;
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (!times || bind(l, (void *)&a, sizeof a) || listen(l, 4096) || getsockname(l, (void *)&a, &alen)) {
		perror("witness");
		return 1;
	}
	printf("%d\n", ntohs(a.sin_port));
	fflush(stdout);
	int ep = epoll_create1(0);
	struct epoll_event e = {.events = EPOLLIN, .data.fd = l}, got[256];
	epoll_ctl(ep, EPOLL_CTL_ADD, l, &e);
	e.data.fd = 0;
	epoll_ctl(ep, EPOLL_CTL_ADD, 0, &e);
	for (;;) {
		int n = epoll_wait(ep, got, 256, -1);
		for (int i = 0; i < n; i++) {
			int fd = got[i].data.fd;
			if (fd == 0) {
				char c;
				if (read(0, &c, 1) <= 0) return 0;
			} else if (fd == l) {
				for (int c; (c = accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
					if (c >= MAX_FD) { close(c); continue; }
					setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
					e.data.fd = c;
					epoll_ctl(ep, EPOLL_CTL_ADD, c, &e);
				}
			} else {
				serve(fd);
			}
		}
	}
}
