// Says hello from Go, with the standard library alone.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

const VERSION = "1.0.0"
const BROKEN = false // a release that passes every check before it runs, and then dies in init

const manifest = `{"options":[{"name":"go-greeting","type":"string","default":"hello","description":"What to say"}],
"rpcmethods":[{"name":"go-hello","usage":"","description":"Say hello"}],"subscriptions":[],"hooks":[],"dynamic":true}`

type request struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

func main() {
	var init struct {
		Options map[string]any `json:"options"`
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var r request
		if json.Unmarshal(lines.Bytes(), &r) != nil || r.ID == nil {
			continue
		}
		var result any = struct{}{}
		switch r.Method {
		case "getmanifest":
			result = json.RawMessage(manifest)
		case "init":
			if BROKEN {
				fmt.Fprintln(os.Stderr, "this release is broken")
				os.Exit(1)
			}
			if err := json.Unmarshal(r.Params, &init); err != nil {
				os.Exit(1)
			}
		default:
			result = map[string]any{"say": init.Options["go-greeting"], "version": VERSION, "options": init.Options}
		}
		reply, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": r.ID, "result": result})
		if err != nil {
			os.Exit(1)
		}
		fmt.Printf("%s\n\n", reply)
	}
}
