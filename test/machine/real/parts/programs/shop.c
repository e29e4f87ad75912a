/*
 * The workload of the tests: answers every request on a port with 200, and ends at once when it is told to.
 * `shop [PORT]`, 8080 unless told; a port of 0 listens nowhere (for many pods in the node's own network).
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void end(int signal) {
  (void)signal;
  _exit(0);
}

static const char answer[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nopen\n";

static int listening(int port) {
  int on = 1, server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = INADDR_ANY};
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(server, (struct sockaddr *)&any, sizeof any) != 0 || listen(server, 64) != 0) exit(1);
  return server;
}

static void serve(int server) {
  struct timeval patience = {.tv_sec = 2};
  char request[4096];
  int client = accept(server, NULL, NULL);
  if (client < 0) return;
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  /* A probe's request fits into one read; without one the answer would be cut off by a reset. */
  if (read(client, request, sizeof request) > 0 && write(client, answer, sizeof answer - 1) > 0)
    shutdown(client, SHUT_WR);
  close(client);
}

int main(int count, char **words) {
  struct sigaction ends = {.sa_handler = end}, ignored = {.sa_handler = SIG_IGN};
  int port = count > 1 ? atoi(words[1]) : 8080;
  sigaction(SIGTERM, &ends, NULL);
  sigaction(SIGINT, &ends, NULL);
  sigaction(SIGPIPE, &ignored, NULL);
  if (port == 0)
    for (;;) pause();
  for (int server = listening(port);;) serve(server);
}
