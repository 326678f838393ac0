// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CHTTP.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* More at a time, and the oldest one goes. */
#define WANTED_CONNECTIONS 16
/* Accepted before any can have gone. */
#define MOST_CONNECTIONS 32
/* From accept to the last byte of the answer. */
#define PATIENCE_SECONDS 10

struct connection {
	struct bufferevent *buffer;
	int64_t since;
};

struct chttp_server {
	struct event_base *base;
	struct evhttp *http;
	struct evconnlistener *listener;
	struct connection connections[MOST_CONNECTIONS];
	int count;
	const char *text;
	size_t length;
};

static int64_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static int parse(const char *address, struct sockaddr_storage *storage, int *length)
{
	*length = sizeof(*storage);
	memset(storage, 0, sizeof(*storage));
	return evutil_parse_sockaddr_port(address, (struct sockaddr *)storage, length);
}

int chttp_address_kind(const char *address)
{
	struct sockaddr_storage storage;
	int length;

	if (parse(address, &storage, &length))
		return -1;
	if (storage.ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)&storage;

		if (!strrchr(address, ':'))
			return -1;
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	}
	if (address[0] != '[' || !strstr(address, "]:"))
		return -1;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)&storage)->sin6_addr);
}

/* evhttp is done with it: it takes its callbacks away when it frees one. */
static int is_over(struct bufferevent *buffer)
{
	bufferevent_data_cb read, write;
	bufferevent_event_cb event;
	void *argument;

	bufferevent_getcb(buffer, &read, &write, &event, &argument);
	return !read && !write && !event;
}

static void sweep(struct chttp_server *server)
{
	int i, kept = 0;

	for (i = 0; i < server->count; i++) {
		if (is_over(server->connections[i].buffer))
			bufferevent_decref(server->connections[i].buffer);
		else
			server->connections[kept++] = server->connections[i];
	}
	server->count = kept;
}

/* evhttp reads the end of the connection and frees it. */
static void end(struct connection *connection)
{
	evutil_socket_t fd;

	if (is_over(connection->buffer))
		return;
	fd = bufferevent_getfd(connection->buffer);
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
}

static struct bufferevent *accepted(struct event_base *base, void *argument)
{
	struct chttp_server *server = argument;
	struct bufferevent *buffer = bufferevent_socket_new(base, -1, 0);

	if (!buffer || server->count == MOST_CONNECTIONS)
		return buffer;
	bufferevent_incref(buffer);
	server->connections[server->count].buffer = buffer;
	server->connections[server->count++].since = seconds();
	if (server->count > WANTED_CONNECTIONS)
		end(&server->connections[server->count - WANTED_CONNECTIONS - 1]);
	if (server->count == MOST_CONNECTIONS)
		evconnlistener_disable(server->listener);
	return buffer;
}

static void answer(struct evhttp_request *request, void *argument)
{
	struct chttp_server *server = argument;
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct evbuffer *body = evbuffer_new();

	evhttp_add_header(headers, "Connection", "close");
	if (!body || !path || (strcmp(path, "/metrics") && strcmp(path, "/"))) {
		evhttp_send_error(request, HTTP_NOTFOUND, NULL);
	} else if (!strcmp(path, "/")) {
		evhttp_add_header(headers, "Content-Type", "text/plain; charset=utf-8");
		evbuffer_add_printf(body, "mrtrace monitor: the metrics are at /metrics\n");
		evhttp_send_reply(request, HTTP_OK, "OK", body);
	} else {
		evhttp_add_header(headers, "Content-Type",
				  "text/plain; version=0.0.4; charset=utf-8");
		evbuffer_add(body, server->text, server->length);
		evhttp_send_reply(request, HTTP_OK, "OK", body);
	}
	if (body)
		evbuffer_free(body);
}

static int fail(struct chttp_server *server, int code, int *error)
{
	*error = code ? code : ENOMEM;
	chttp_close(server);
	return 0;
}

static int start(struct chttp_server *server, const char *address, int *error)
{
	struct event_config *config = event_config_new();
	struct sockaddr_storage storage;
	int length;

	if (!config)
		return fail(server, ENOMEM, error);
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
	server->base = event_base_new_with_config(config);
	event_config_free(config);
	if (!server->base)
		return fail(server, ENOMEM, error);
	server->http = evhttp_new(server->base);
	if (!server->http)
		return fail(server, ENOMEM, error);
	if (parse(address, &storage, &length))
		return fail(server, EINVAL, error);
	errno = 0;
	server->listener = evconnlistener_new_bind(server->base, NULL, NULL,
						   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
							   LEV_OPT_REUSEABLE,
						   64, (struct sockaddr *)&storage, length);
	if (!server->listener)
		return fail(server, errno, error);
	/* from here on the listener is evhttp's */
	if (!evhttp_bind_listener(server->http, server->listener)) {
		evconnlistener_free(server->listener);
		return fail(server, ENOMEM, error);
	}
	evhttp_set_bevcb(server->http, accepted, server);
	evhttp_set_gencb(server->http, answer, server);
	evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(server->http, 8192);
	evhttp_set_max_body_size(server->http, 0);
	evhttp_set_timeout(server->http, PATIENCE_SECONDS);
	return 1;
}

struct chttp_server *chttp_open(const char *address, int *error)
{
	struct chttp_server *server = calloc(1, sizeof(*server));

	*error = ENOMEM;
	return server && start(server, address, error) ? server : NULL;
}

void chttp_close(struct chttp_server *server)
{
	if (server->http)
		evhttp_free(server->http);
	sweep(server);
	if (server->base) {
		/* what was freed above ends in the loop */
		event_base_loop(server->base, EVLOOP_NONBLOCK);
		event_base_free(server->base);
	}
	free(server);
}

int chttp_descriptor(const struct chttp_server *server)
{
	return evconnlistener_get_fd(server->listener);
}

int chttp_port(const struct chttp_server *server)
{
	struct sockaddr_storage storage = {};
	socklen_t length = sizeof(storage);

	if (getsockname(chttp_descriptor(server), (struct sockaddr *)&storage, &length))
		return 0;
	return storage.ss_family == AF_INET ? ntohs(((struct sockaddr_in *)&storage)->sin_port)
					    : ntohs(((struct sockaddr_in6 *)&storage)->sin6_port);
}

int chttp_connections(const struct chttp_server *server)
{
	return server->count;
}

int chttp_has_work(const struct chttp_server *server)
{
	struct pollfd listening = { .fd = chttp_descriptor(server), .events = POLLIN };

	return server->count > 0 || poll(&listening, 1, 0) > 0;
}

void chttp_poll(struct chttp_server *server, const char *text, size_t length)
{
	int64_t now = seconds();
	int i, round;

	server->text = text;
	server->length = length;
	for (i = 0; i < server->count; i++)
		if (now - server->connections[i].since >= PATIENCE_SECONDS)
			end(&server->connections[i]);
	/* accept, read, answer, close: a round each */
	for (round = 0; round < 6; round++) {
		event_base_loop(server->base, EVLOOP_NONBLOCK);
		sweep(server);
		if (server->count < MOST_CONNECTIONS)
			evconnlistener_enable(server->listener);
	}
	server->text = NULL;
	server->length = 0;
}
