import { type FormEvent, useState } from "react";
import { ServerError } from "../../api/http";
import { useSignIn } from "../../api/session";
import { Button, Card, ErrorNote, Field } from "../../ui/basics";

export function SignIn() {
  const [key, setKey] = useState("");
  const signIn = useSignIn();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate(key, { onSettled: () => setKey("") });
  };
  return (
    <main style={{ maxWidth: 480, margin: "10vh auto" }}>
      <h1 className="sr-only">touchline</h1>
      <Card title="Sign in">
        <p className="muted">
          This server has an API key. It was shown when the server was first started, and is kept in
          the file <code>api_key</code> of its data directory, unless the settings name another.
        </p>
        <form className="stack" onSubmit={submit}>
          <Field
            label="API key"
            type="password"
            autoComplete="current-password"
            required
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
          <ErrorNote
            error={
              signIn.error instanceof ServerError && signIn.error.code === "wrong_key"
                ? new Error("That is not the server's key.")
                : signIn.error
            }
          />
          <Button type="submit" tone="primary" disabled={signIn.isPending || key === ""}>
            Sign in
          </Button>
        </form>
      </Card>
    </main>
  );
}
