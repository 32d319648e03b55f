/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * How the page looks.  The letters are whatever the reader's machine has of
 * the kind: nothing is loaded.
 */

#include <stddef.h>
#include <stdio.h>

#include "page_style.h"

/* clang-format off */
static const char *const lines[] = {
/* Paper and tar; at night, tar and amber. */
":root{color-scheme:light dark;",
"--paper:#f7f0e3;--ink:#211811;--soft:#6b5946;--rule:#dccfb8;--bar:#bd6d0f;",
"--hover:#7d4204;--tar:#1b130d;--tar-rim:#4a3420;--tar-ink:#ffd08a;",
"--tar-soft:#c9b393;--deep:#120c08;--glow:#5a3817;--edge:#c67711;",
"--sheen:#5a3416;",
"--over:#8a735633;--letter:#fffaf0}",
"@media screen and (prefers-color-scheme:dark){:root{",
"--paper:#19120d;--ink:#f0e4d0;--soft:#b5a48d;--rule:#3a2d22;--bar:#dd9430;",
"--hover:#ffcb7a;--tar:#0a0705;--tar-rim:#4e371f;--tar-ink:#ffc873;",
"--tar-soft:#b5a48d;--deep:#0a0705;--glow:#5f3a12;--edge:#eda23a;",
"--sheen:#33210f;",
"--over:#c9a57a2e;--letter:#efe2cc}}",
"*{box-sizing:border-box;margin:0}",
"html{-webkit-text-size-adjust:100%;text-size-adjust:100%}",
"body{background:var(--paper);color:var(--ink);line-height:1.5;",
"font-family:'Iowan Old Style','Palatino Linotype',Palatino,P052,",
"'URW Palladio L','Book Antiqua',Georgia,serif;",
"font-variant-numeric:lining-nums tabular-nums;overflow-wrap:break-word}",
".in-page{max-width:68rem;margin:0 auto;padding-left:1.25rem;",
"padding-right:1.25rem}",
"h1{font-weight:400;font-size:clamp(2.1rem,6vw,3.2rem);line-height:1.1;",
"letter-spacing:-.01em}",
"h2{font-weight:400;font-size:1.45rem;line-height:1.2}",
"header{padding-top:2.25rem;padding-bottom:5rem;position:relative}",
"header p{color:var(--soft);max-width:34rem;margin-top:.5rem}",
".mail{position:absolute;bottom:0;right:1.25rem;width:11rem}",
".mail path{fill:var(--letter);stroke:var(--tar-rim);stroke-width:2;",
"stroke-linejoin:round}",
".mail .flap{fill:none}",
/* The pit itself: a surface above, a bowl below. */
".pit{background:linear-gradient(var(--sheen),var(--tar) 1.5rem,var(--deep));",
"border-top:2px solid var(--tar-rim);color:var(--tar-soft);",
"padding:1.75rem 0 3rem;border-radius:0 0 50% 50%/0 0 2.5rem 2.5rem}",
"dl{display:grid;gap:1.5rem}",
"dl div{display:flex;flex-direction:column}",
"dd.number{order:-1;color:var(--tar-ink);line-height:1.1}",
".s dd.number{font-size:clamp(3rem,6vw,4.2rem)}",
".m dd.number{font-size:clamp(2.2rem,4vw,2.9rem)}",
".l dd.number{font-size:clamp(1.05rem,2vw,1.4rem)}",
"dt{font-size:1.1rem;color:var(--letter)}",
"dd.note{font-style:italic;font-size:.95rem}",
".plots{display:grid;gap:3rem 3.5rem;padding-top:3rem;align-items:end}",
"figcaption p{color:var(--soft);margin-top:.15rem;text-wrap:balance}",
/* Labels stand outside of the plot: to its left and below. */
".plot{padding:.6rem .5rem 2rem 3rem}",
".plot>svg{display:block;width:100%;height:12rem;overflow:visible;",
"font-size:12px}",
".wide .plot>svg{height:16rem}",
"svg svg{overflow:visible}",
"svg .bars,svg .curve{overflow:hidden}",
"text{fill:var(--soft)}",
".y,.in{text-anchor:end}",
".x{text-anchor:middle}",
".first{text-anchor:start}",
".last{text-anchor:end}",
".grid,.over,.base,.tick{stroke:var(--rule)}",
".over{stroke:var(--over)}",
".base,.tick{stroke:var(--soft)}",
"rect{fill:var(--bar)}",
".peak,rect:hover{fill:var(--hover)}",
".edge{fill:none;stroke:var(--edge);stroke-width:2.5;",
"stroke-linejoin:round}",
".area{fill:url(#tar)}",
"#tar stop{stop-color:var(--glow)}",
"#tar stop+stop{stop-color:var(--deep)}",
".half{fill:var(--paper);stroke:var(--edge);stroke-width:2.5}",
".out{fill:var(--ink);font-size:14px;font-style:italic}",
".in{fill:var(--letter);font-size:14px;font-style:italic}",
"footer{color:var(--soft);padding-top:2.5rem;padding-bottom:3rem}",
"footer p{max-width:43rem;margin-bottom:.75rem;text-wrap:pretty}",
"time{white-space:nowrap}",
"@media(max-width:35.99rem){.w{display:none}}",
"@media(min-width:44rem){header{padding-top:4rem;padding-bottom:2.25rem}",
".mail{width:15rem}.plot>svg{font-size:13px}",
"dl{grid-template-columns:repeat(3,auto);",
"justify-content:space-between}.pit{padding:2.5rem 0 3.5rem}}",
"@media(min-width:64rem){.plots{grid-template-columns:1fr 1fr}",
".wide{grid-column:1/-1}}",
"@media print{:root{--paper:#fff}.pit{background:none;padding:1rem 0;",
"border-radius:0}dd.number,dt{color:#000}dd.note{color:#444}",
"figure{break-inside:avoid}header{padding-top:0}",
".plots{gap:1rem;padding-top:1rem}footer{padding-top:.5rem}",
".plot>svg,.wide .plot>svg{height:9rem}}",
};
/* clang-format on */

void
style_write(FILE *out)
{
	size_t i;

	fputs("<style>\n", out);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		fprintf(out, "%s\n", lines[i]);
	fputs("</style>\n", out);
}
