/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server of one page, /metrics, on libevent's evhttp. It has no thread
 * and never waits: chttp_poll() does what can be done at once.
 */
#ifndef CHTTP_H
#define CHTTP_H

#include <stddef.h>
#include <stdint.h>

struct chttp_server;

/// What may be listened on: 1 a loopback address, 0 another one, -1 not
/// "ADDRESS:PORT" with a numeric address (IPv6 in brackets).
int chttp_address_kind(const char *address);

/// Listen there. NULL: *error is an errno.
struct chttp_server *chttp_open(const char *address, int *error);
void chttp_close(struct chttp_server *server);

/// The listening socket, to wait for.
int chttp_descriptor(const struct chttp_server *server);
/// Its port.
int chttp_port(const struct chttp_server *server);
/// Connections that are open.
int chttp_connections(const struct chttp_server *server);

/// A client has come, or is there: worth a chttp_poll().
int chttp_has_work(const struct chttp_server *server);

/// Serve what can be served without waiting; `text` is the page.
void chttp_poll(struct chttp_server *server, const char *text, size_t length);

#endif
