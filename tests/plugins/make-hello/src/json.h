/* Just enough of JSON for one request a line, as lightningd writes them. */
#ifndef JSON_H
#define JSON_H

/* Copy the raw value of the first `key` in `text`, quotes included, into `value`; empty where there is none. */
void json_raw(const char *text, const char *key, char *value, unsigned long size);

#endif
