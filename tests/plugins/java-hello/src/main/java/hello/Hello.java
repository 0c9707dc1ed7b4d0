// Says hello from Java, with one small package of Maven Central for JSON.
package hello;

import com.eclipsesource.json.Json;
import com.eclipsesource.json.JsonObject;
import com.eclipsesource.json.JsonValue;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

public final class Hello {
    static final String VERSION = "1.0.0";
    static final boolean BROKEN = false; // a release that passes every check before it runs, and then dies in init

    static final String MANIFEST =
            "{\"options\":[{\"name\":\"java-greeting\",\"type\":\"string\",\"default\":\"hello\","
                    + "\"description\":\"What to say\"}],\"rpcmethods\":[{\"name\":\"java-hello\",\"usage\":\"\","
                    + "\"description\":\"Say hello\"}],\"subscriptions\":[],\"hooks\":[],\"dynamic\":true}";

    private static JsonObject options = new JsonObject();

    public static void main(String[] arguments) throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.trim().isEmpty()) {
                continue;
            }
            JsonObject request = Json.parse(line).asObject();
            if (request.get("id") == null) {
                continue;
            }
            JsonValue result = answer(request.getString("method", ""), request.get("params"));
            JsonObject reply = new JsonObject().add("jsonrpc", "2.0").add("id", request.get("id")).add("result", result);
            System.out.print(reply + "\n\n");
            System.out.flush();
        }
    }

    private static JsonValue answer(String method, JsonValue params) {
        if (method.equals("getmanifest")) {
            return Json.parse(MANIFEST);
        }
        if (method.equals("init")) {
            if (BROKEN) {
                System.err.println("this release is broken");
                System.exit(1);
            }
            options = params.asObject().get("options").asObject();
            return new JsonObject();
        }
        return new JsonObject().add("say", options.get("java-greeting")).add("version", VERSION).add("options", options);
    }
}
