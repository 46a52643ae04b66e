// The page: one store, one stream, and the parts that draw what they are told of.

import { Actions } from "/assets/actions.js";
import { showAlerts } from "/assets/alerts.js";
import { showBanners } from "/assets/banners.js";
import { showBook } from "/assets/book.js";
import { showBooks } from "/assets/books.js";
import { showExposure } from "/assets/exposure.js";
import { showHealth } from "/assets/health.js";
import { showMarket } from "/assets/market.js";
import { showMarketCharts } from "/assets/market_charts.js";
import { showMoney } from "/assets/money.js";
import { showOrders } from "/assets/orders.js";
import { Store } from "/assets/store.js";
import { Histories, Stream } from "/assets/stream.js";
import { showThemeSwitch } from "/assets/theme_switch.js";
import { showTop } from "/assets/top.js";

const store = new Store();
const histories = new Histories(store);

showThemeSwitch();
showTop(store);
showBanners(store);
showMarket(store);
showMarketCharts(store, histories);
showBooks(store);
showBook(store);
showMoney(store);
showExposure(store);
showOrders(store);
showAlerts(store);
showHealth(store);
new Actions(store).start();
new Stream(store).open();
