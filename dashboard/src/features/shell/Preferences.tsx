import { Moon, Sun, SunMoon } from "lucide-react";
import { applyTheme, type Theme, useTheme } from "../../lib/theme";
import { LANGUAGES, type Language, words } from "../../messages";
import { useLanguage } from "../../messages/LanguageProvider";
import { Segmented } from "../../ui/Segmented";

const THEMES = [
  ["system", SunMoon],
  ["light", Sun],
  ["dark", Moon],
] as const;
const CHOICES = Object.entries(LANGUAGES) as [Language, string][];

/** Language and colours of this device. */
export function Preferences() {
  const { language, choose } = useLanguage();
  const theme = useTheme();
  const { colour, colours } = words.shell;
  return (
    <>
      <Segmented
        label={words.shell.language}
        value={language}
        onChange={(chosen) => void choose(chosen)}
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
          <span key={name} title={colour[name]}>
            <Icon size={18} role="img" aria-label={colour[name]} />
          </span>,
        ])}
      />
    </>
  );
}
