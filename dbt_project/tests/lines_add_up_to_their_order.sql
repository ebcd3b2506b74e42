-- Accounting identity: the lines of an order sum to its amount, and every order has lines.
with lines as (
    select order_no, sum(amount_fen) as lines_fen
    from {{ ref('stg_order_lines') }}
    group by all
)

select orders.store_id, orders.business_date
from {{ ref('stg_orders') }} as orders
left join lines using (order_no)
where lines.lines_fen is distinct from orders.amount_fen
