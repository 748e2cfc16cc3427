import process from "node:process";
import { type Browser, chromium, type Page } from "playwright-core";

/** Opens a Chromium without a window. */
export function openBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM;
  if (executablePath === undefined)
    throw new Error("tests in test/browser/ are run by scripts/test.ts, which finds the browser");
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** Notes what goes wrong on a page: errors in its console, requests that fail, and such as go elsewhere than to `origin`. */
export function complaintsOf(page: Page, origin: string): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()}`));
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith("data:")) complaints.push(`outside: ${url}`);
  });
  return complaints;
}
