# Print the raw value of the first key $1 in the line $2: just enough of JSON for what lightningd writes.
raw() {
    if [[ $2 =~ \"$1\"[[:space:]]*:[[:space:]]*(\"([^\"\\]|\\.)*\"|[0-9]+) ]]; then
        printf '%s' "${BASH_REMATCH[1]}"
    fi
}
