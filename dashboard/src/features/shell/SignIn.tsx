import { type FormEvent, useEffect, useRef, useState } from "react";
import { useSignIn } from "../../api/session";
import { errorText } from "../../lib/errorWords";
import { words } from "../../messages";
import { Button, Card, Field } from "../../ui/basics";
import { Preferences } from "./Preferences";
import styles from "./Shell.module.css";

/** Asks for the key of the server; what is wrong with it is told under the field. */
export function SignIn() {
  const [key, setKey] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const signIn = useSignIn();
  const { title, action, pending, hint, where, whereText, key: label } = words.shell.signIn;
  const page = words.shell.title(title);
  useEffect(() => {
    document.title = page;
  }, [page]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate(key, {
      onError: () => {
        setKey("");
        field.current?.focus();
      },
    });
  };
  return (
    <main className={styles.signIn}>
      <h1 className="sr-only">touchline</h1>
      <Card title={title}>
        <form className="stack" onSubmit={submit}>
          <Field
            ref={field}
            label={label}
            type="password"
            autoComplete="current-password"
            required
            value={key}
            hint={hint}
            error={signIn.error && errorText(signIn.error)}
            onChange={(event) => setKey(event.target.value)}
          />
          <Button type="submit" tone="primary" disabled={signIn.isPending || key === ""}>
            {signIn.isPending ? pending : action}
          </Button>
        </form>
        <details className="small">
          <summary>{where}</summary>
          <p className="muted">{whereText("api_key")}</p>
        </details>
      </Card>
      <div className={styles.preferences}>
        <Preferences />
      </div>
    </main>
  );
}
