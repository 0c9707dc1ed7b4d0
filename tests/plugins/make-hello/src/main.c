/* Says hello from C, built by make, with the standard library alone. */
#include "json.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char VERSION[] = "1.0.0";
static const bool BROKEN = false; /* a release that passes every check before it runs, and then dies in init */

static const char MANIFEST[] =
    "{\"options\":[{\"name\":\"make-greeting\",\"type\":\"string\",\"default\":\"hello\",\"description\":\"What to say\"}],"
    "\"rpcmethods\":[{\"name\":\"make-hello\",\"usage\":\"\",\"description\":\"Say hello\"}],"
    "\"subscriptions\":[],\"hooks\":[],\"dynamic\":true}";

int main(void)
{
    static char line[1 << 20], id[256], method[128], greeting[4096] = "\"hello\"";

    while (fgets(line, sizeof line, stdin)) {
        json_raw(line, "id", id, sizeof id);
        json_raw(line, "method", method, sizeof method);
        if (!*id || !*method)
            continue;
        printf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":", id);
        if (!strcmp(method, "\"getmanifest\"")) {
            printf("%s", MANIFEST);
        } else if (!strcmp(method, "\"init\"")) {
            if (BROKEN) {
                fprintf(stderr, "this release is broken\n");
                return EXIT_FAILURE;
            }
            json_raw(line, "make-greeting", greeting, sizeof greeting);
            printf("{}");
        } else {
            printf("{\"say\":%s,\"version\":\"%s\"}", greeting, VERSION);
        }
        printf("}\n\n");
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}
