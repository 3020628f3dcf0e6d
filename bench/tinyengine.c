/* An engine that costs next to nothing: it answers as the bench needs it, on kept connections.
 * Its port is that of `--http-port N`, or of HTTP_PORT. One thread, poll(2). */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 64
static const char STATUS[] = "{\"result\":{\"connected\":true,\"platform\":\"linux\",\"version\":\"tiny\"},\"error\":null}";
static const char STAT[] = "{\"response\":{\"status\":\"dl\",\"peers\":7,\"speed_down\":250,\"speed_up\":60,"
    "\"downloaded\":123456789,\"uploaded\":2345678,\"is_live\":1,\"infohash\":\"aa\"},\"error\":null}";

static void leave(int number) { (void)number; _exit(0); }

int main(int argc, char **argv) {
    const char *given = getenv("HTTP_PORT");
    for (int i = 1; i + 1 < argc; i++)
        if (!strcmp(argv[i], "--http-port")) given = argv[i + 1];
    if (!given) return 2;
    signal(SIGTERM, leave);
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    at.sin_port = htons(atoi(given));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 16)) return 1;
    struct pollfd all[MOST] = {{.fd = listener, .events = POLLIN}};
    int count = 1;
    for (;;) {
        if (poll(all, count, -1) < 0) continue;
        for (int i = count - 1; i > 0; i--) {
            if (!all[i].revents) continue;
            char request[4096];
            ssize_t got = read(all[i].fd, request, sizeof request - 1);
            if (got > 0) {
                request[got] = 0;
                const char *body = strstr(request, "/ace/stat/") ? STAT : STATUS;
                char answer[1024];
                int size = snprintf(answer, sizeof answer,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                    strlen(body), body);
                if (write(all[i].fd, answer, size) == size) continue;
            }
            close(all[i].fd);
            all[i] = all[--count];
        }
        if (all[0].revents && count < MOST) {
            int client = accept(listener, NULL, NULL);
            if (client >= 0) all[count++] = (struct pollfd){.fd = client, .events = POLLIN};
        }
    }
}
