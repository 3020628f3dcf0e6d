import { Moon, Sun, SunMoon } from "lucide-react";
import { useState } from "react";
import { unreached } from "../../api/http";
import { errorText } from "../../lib/errorWords";
import { applyTheme, type Theme, useTheme } from "../../lib/theme";
import { LANGUAGES, type Language, words } from "../../messages";
import { useLanguage } from "../../messages/LanguageProvider";
import { useFeedback } from "../../ui/feedback";
import { Segmented } from "../../ui/Segmented";
import styles from "./Shell.module.css";

const THEMES = [
  ["system", SunMoon],
  ["light", Sun],
  ["dark", Moon],
] as const;
const CHOICES = Object.entries(LANGUAGES) as [Language, string][];

/** Language and colours of this device. */
export function Preferences() {
  const { language, choose } = useLanguage();
  const { tell } = useFeedback();
  // Its texts may have to be loaded first.
  const [wanted, setWanted] = useState(language);
  const theme = useTheme();
  const { colour, colours } = words.shell;
  const change = (chosen: Language) => {
    setWanted(chosen);
    choose(chosen).catch(() => {
      setWanted(language);
      tell(errorText(unreached()), { bad: true });
    });
  };
  return (
    <>
      <Segmented
        label={words.shell.language}
        value={wanted}
        onChange={change}
        options={CHOICES.map(([tag, name]) => [
          tag,
          <span key={tag} lang={tag}>
            {name}
          </span>,
        ])}
      />
      <Segmented<Theme>
        label={colours}
        value={theme}
        onChange={applyTheme}
        options={THEMES.map(([name, Icon]) => [
          name,
          <span key={name} className={styles.colour} title={colour[name]}>
            <Icon size={18} aria-hidden />
            <span>{colour[name]}</span>
          </span>,
        ])}
      />
    </>
  );
}
