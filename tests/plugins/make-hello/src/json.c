#include "json.h"

#include <stdio.h>
#include <string.h>

void json_raw(const char *text, const char *key, char *value, unsigned long size)
{
    char quoted[128];
    unsigned long length = 0;
    int inside = 0;

    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    const char *at = strstr(text, quoted);
    if (at) {
        at += strlen(quoted);
        at += strspn(at, " \t:");
        for (; *at && length + 1 < size; at++) {
            if (!inside && strchr(",}] \n", *at))
                break;
            if (*at == '\\' && length + 2 < size)
                value[length++] = *at++;
            else if (*at == '"')
                inside = !inside;
            value[length++] = *at;
        }
    }
    value[length] = '\0';
}
