/** The widget as a module: `import "penny-chat"` registers `<penny-chat>`. */

import { ChartView } from "./charts/view.js";
import { PennyChat } from "./element.js";
import { BudgetsView } from "./panels/budgets.js";
import { ChangesView } from "./panels/changes.js";
import { FactsView } from "./panels/facts.js";
import { ImportView } from "./panels/import.js";
import { LinksView } from "./panels/links.js";
import { NoticesView } from "./panels/notices.js";
import { PanelView } from "./panels/panel.js";
import { WaitingView } from "./panels/waiting.js";
import { CardView } from "./ui/card.js";
import { ChatsView } from "./ui/chats.js";
import { Composer } from "./ui/composer.js";
import { LogView } from "./ui/log.js";
import { ReplyView } from "./ui/reply.js";
import { define } from "./ui/view.js";

define("penny-chart", ChartView);
define("penny-card", CardView);
define("penny-reply", ReplyView);
define("penny-log", LogView);
define("penny-composer", Composer);
define("penny-chats", ChatsView);
define("penny-budgets", BudgetsView);
define("penny-waiting", WaitingView);
define("penny-changes", ChangesView);
define("penny-facts", FactsView);
define("penny-import", ImportView);
define("penny-links", LinksView);
define("penny-notices", NoticesView);
define("penny-panel", PanelView);
define("penny-chat", PennyChat);

export type { GetToken } from "./api/client.js";
export type { Tab } from "./app.js";
export { type Mode, PennyChat } from "./element.js";
export type { Strings } from "./lang/en.js";

declare global {
  interface HTMLElementTagNameMap {
    "penny-chat": PennyChat;
  }
}
