/* The two consumers that the gateway is measured against: they take QoS 1 messages and throw them away.
 *
 *   plain   mosquitto_loop(), the way the library is usually used: a PUBACK leaves as each message is read
 *   corked  loop of our own: read until the socket is empty, then let all PUBACKs leave in one TCP segment
 *
 * Usage: baseline_consumer plain|corked HOST PORT FILTER COUNT
 *
 * Prints "ready" once subscribed, and "done NANOSECONDS" (CLOCK_MONOTONIC of the last message) after COUNT messages; then it goes on
 * serving the connection until it is killed, so that its CPU time can be read from /proc.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

/* PUBACKs are let go after this many messages at the latest: the broker's window must never run empty for long. */
#define BATCH_LIMIT 4096
#define LOOP_TIMEOUT_MS 1000
#define SESSION_EXPIRY_SECONDS 3600

struct consumer {
	uint64_t expected;
	uint64_t received;
	uint64_t bytes;
};

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "baseline_consumer: %s: %s\n", what, why);
	exit(1);
}

static void check(const char *what, int rc)
{
	if (rc != MOSQ_ERR_SUCCESS) {
		fail(what, rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc));
	}
}

static void on_connect(struct mosquitto *client, void *context, int rc, int flags, const mosquitto_property *properties)
{
	(void)client, (void)context, (void)flags, (void)properties;
	if (rc != 0) {
		fail("connect", mosquitto_reason_string(rc));
	}
}

static void on_subscribe(struct mosquitto *client, void *context, int mid, int count, const int *granted)
{
	(void)client, (void)context, (void)mid;
	if (count != 1 || granted[0] != 1) {
		fail("subscribe", "QoS 1 was not granted");
	}
	puts("ready");
}

static void on_message(struct mosquitto *client, void *context, const struct mosquitto_message *message)
{
	struct consumer *consumer = context;
	(void)client;
	consumer->bytes += (uint64_t)message->payloadlen;
	if (++consumer->received == consumer->expected) {
		struct timespec now;
		clock_gettime(CLOCK_MONOTONIC, &now);
		printf("done %" PRIu64 "\n", (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	}
}

static void run_plain(struct mosquitto *client)
{
	for (;;) {
		check("loop", mosquitto_loop(client, LOOP_TIMEOUT_MS, 1));
	}
}

static void write_acks(struct mosquitto *client)
{
	int socket = mosquitto_socket(client), on = 1, off = 0;
	/* Without the cork each 4-byte PUBACK is a segment of its own. */
	setsockopt(socket, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
	while (mosquitto_want_write(client)) {
		check("write", mosquitto_loop_write(client, 1));
		if (mosquitto_want_write(client)) {
			struct pollfd room = {.fd = socket, .events = POLLOUT};
			poll(&room, 1, LOOP_TIMEOUT_MS);
		}
	}
	setsockopt(socket, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
}

static void run_corked(struct mosquitto *client, struct consumer *consumer)
{
	for (;;) {
		struct pollfd input = {.fd = mosquitto_socket(client), .events = POLLIN};
		write_acks(client);
		if (poll(&input, 1, LOOP_TIMEOUT_MS) > 0) {
			uint64_t limit = consumer->received + BATCH_LIMIT;
			int available = 1;
			while (available > 0 && consumer->received < limit) {
				check("read", mosquitto_loop_read(client, 1));
				if (ioctl(mosquitto_socket(client), FIONREAD, &available) != 0) {
					fail("FIONREAD", strerror(errno));
				}
			}
		}
		check("misc", mosquitto_loop_misc(client));
	}
}

int main(int argc, char **argv)
{
	struct consumer consumer = {0};
	bool corked;
	struct mosquitto *client;
	mosquitto_property *properties = NULL;

	if (argc != 6 || (strcmp(argv[1], "plain") != 0 && strcmp(argv[1], "corked") != 0)) {
		fprintf(stderr, "usage: baseline_consumer plain|corked HOST PORT FILTER COUNT\n");
		return 64;
	}
	corked = strcmp(argv[1], "corked") == 0;
	consumer.expected = strtoull(argv[5], NULL, 10);
	setvbuf(stdout, NULL, _IOLBF, 0);
	mosquitto_lib_init();
	client = mosquitto_new("baseline", false, &consumer);
	if (client == NULL) {
		fail("mosquitto_new", strerror(errno));
	}
	/* A durable session, and v5 with a wide Receive Maximum, as the gateway has: neither is what is compared. */
	check("protocol", mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5));
	check("receive maximum", mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, 65535));
	check("no delay", mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1));
	if (corked) {
		/* In this mode loop_read only queues PUBACKs; they leave in loop_write. */
		check("threaded", mosquitto_threaded_set(client, true));
	}
	mosquitto_connect_v5_callback_set(client, on_connect);
	mosquitto_subscribe_callback_set(client, on_subscribe);
	mosquitto_message_callback_set(client, on_message);
	check("expiry", mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, SESSION_EXPIRY_SECONDS));
	check("connect", mosquitto_connect_bind_v5(client, argv[2], atoi(argv[3]), 60, NULL, properties));
	check("subscribe", mosquitto_subscribe(client, NULL, argv[4], 1));
	if (corked) {
		run_corked(client, &consumer);
	} else {
		run_plain(client);
	}
}
