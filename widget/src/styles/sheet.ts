/** The style sheet of the widget, by subject; the order counts. */

import base from "./base.css?inline";
import cards from "./cards.css?inline";
import charts from "./charts.css?inline";
import composer from "./composer.css?inline";
import frame from "./frame.css?inline";
import last from "./last.css?inline";
import messages from "./messages.css?inline";
import panels from "./panels.css?inline";
import pop from "./pop.css?inline";

export const sheet: string = [base, frame, messages, cards, charts, composer, panels, pop, last].join("");
