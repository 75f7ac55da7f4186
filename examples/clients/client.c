/* A client in C: logs in with ws1, sends an event if one is given, prints those that come.
 *
 *     cc -o client client.c -lwebsockets -lcrypto     (Debian: libwebsockets-dev, libssl-dev)
 *     ./client ["96,30,5,,,,-,0,1,2"]                 turn on zone 1, subzone 2
 *
 * The environment says where and who: VSCP_HOST, VSCP_PORT, VSCP_USER, VSCP_PASSWORD, VSCP_KEY. */
#include <libwebsockets.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE = 16384, LOGIN = 512 };

static char received[MESSAGE], next[LWS_PRE + MESSAGE];
static const char *event; /* not sent yet, or NULL */
static int over;

static const char *setting(const char *name, const char *otherwise) {
    return getenv(name) ? getenv(name) : otherwise;
}

/* C;AUTH with user:password in AES-128-CBC; the session id is the first vector. */
static void login(const char *sid, char *out) {
    unsigned char key[16], iv[16], crypto[LOGIN + 16];
    char plain[LOGIN];
    int first, last, length = snprintf(plain, LOGIN, "%s:%s", setting("VSCP_USER", "admin"), setting("VSCP_PASSWORD", "secret"));
    lws_hex_to_byte_array(setting("VSCP_KEY", "2DBB079A38985AF00EBEEFE22F9FFA0E"), key, 16);
    lws_hex_to_byte_array(sid, iv, 16);
    EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(aes, EVP_aes_128_cbc(), NULL, key, iv);
    EVP_EncryptUpdate(aes, crypto, &first, (unsigned char *)plain, length < LOGIN ? length : LOGIN - 1);
    EVP_EncryptFinal_ex(aes, crypto + first, &last);
    EVP_CIPHER_CTX_free(aes);
    out += sprintf(out, "C;AUTH;%.32s;", sid);
    for (int i = 0; i < first + last; i++) out += sprintf(out, "%02x", crypto[i]);
}

/* Handles a message; what is to be sent for it is in `request`, if anything. */
static void handle(const char *message, char *request) {
    if (!strncmp(message, "E;", 2)) puts(message + 2), fflush(stdout);
    else if (!strncmp(message, "+;AUTH0;", 8)) login(message + 8, request);
    else if (!strncmp(message, "+;AUTH1;", 8)) strcpy(request, "C;OPEN");
    else if (message[0] == '-') fprintf(stderr, "refused: %s\n", message), over = 1;
    else if (event) snprintf(request, MESSAGE, "E;%s", event), event = NULL;
}

static int on_websocket(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length) {
    (void)user;
    char *request = next + LWS_PRE;
    if (reason == LWS_CALLBACK_CLIENT_RECEIVE) {
        size_t room = MESSAGE - 1 - strlen(received);
        strncat(received, in, length < room ? length : room);
        if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi)) return 0;
        handle(received, request);
        received[0] = 0;
        if (request[0]) lws_callback_on_writable(wsi);
    } else if (reason == LWS_CALLBACK_CLIENT_WRITEABLE && request[0]) {
        lws_write(wsi, (unsigned char *)request, strlen(request), LWS_WRITE_TEXT);
        request[0] = 0;
    } else if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR || reason == LWS_CALLBACK_CLIENT_CLOSED) {
        fputs("no connection\n", stderr), over = 1;
    }
    return over ? -1 : 0;
}

int main(int argc, char **argv) {
    static const struct lws_protocols protocols[] = {{"vscp", on_websocket, 0, MESSAGE, 0, NULL, 0}, {0}};
    struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols};
    event = argc > 1 ? argv[1] : NULL;
    lws_set_log_level(LLL_ERR, NULL);
    struct lws_context *context = lws_create_context(&info);
    const char *host = setting("VSCP_HOST", "localhost");
    struct lws_client_connect_info where = {.context = context, .path = "/ws1", .local_protocol_name = "vscp",
        .port = atoi(setting("VSCP_PORT", "8884")), .host = host, .address = host};
    over = context == NULL || !lws_client_connect_via_info(&where);
    while (!over && lws_service(context, 0) >= 0) {}
    return 1;
}
